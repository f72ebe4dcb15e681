"""Names of places as people write them, brought to one form so that they can be compared.

Cities are compared without regard to case, spacing, punctuation or a leading *Kota* or *Kabupaten*;
provinces also by their usual short, older and English names.
"""

from __future__ import annotations

import re
import unicodedata

#: Said before a city's or regency's name, longest first.
CITY_PREFIXES = (
    "kota administrasi", "kota adm", "kabupaten administrasi", "kab adm", "kotamadya", "kotif",
    "kota", "kabupaten", "kab", "city of", "regency of",
)  # fmt: skip
CITY_SUFFIXES = (" city", " regency")
#: The five municipalities of the capital are one city to a courier.
JAKARTA = re.compile(r"jakarta(pusat|utara|barat|selatan|timur)|(central|north|west|south|east)jakarta")
#: Said before a district's name.
DISTRICT_PREFIXES = ("kecamatan", "kec", "distrik", "kapanewon", "kemantren", "district of")
PROVINCE_PREFIXES = ("provinsi", "propinsi", "prov", "province of", "special region of", "special capital region of")
DIRECTIONS = {
    "west": "barat", "east": "timur", "north": "utara", "south": "selatan", "central": "tengah",
    "southeast": "tenggara", "southwest": "barat daya", "highland": "pegunungan",
}  # fmt: skip
ISLANDS = {"java": "jawa", "sumatra": "sumatera", "celebes": "sulawesi", "borneo": "kalimantan", "kep": "kepulauan"}
#: Other names of provinces, key and value in the form that `_squeeze` gives.
PROVINCE_ALIASES = {
    "jakarta": "dkijakarta", "dki": "dkijakarta", "dkj": "dkijakarta", "dkjakarta": "dkijakarta",
    "daerahkhususjakarta": "dkijakarta", "daerahkhususibukotajakarta": "dkijakarta",
    "yogyakarta": "diyogyakarta", "jogjakarta": "diyogyakarta", "diy": "diyogyakarta",
    "dijogjakarta": "diyogyakarta", "jogja": "diyogyakarta", "daerahistimewayogyakarta": "diyogyakarta",
    "nad": "aceh", "nanggroeacehdarussalam": "aceh", "daerahistimewaaceh": "aceh", "diaceh": "aceh",
    "sumut": "sumaterautara", "sumbar": "sumaterabarat", "sumsel": "sumateraselatan",
    "kepri": "kepulauanriau", "riauislands": "kepulauanriau", "riaukepulauan": "kepulauanriau",
    "babel": "kepulauanbangkabelitung", "bangkabelitung": "kepulauanbangkabelitung",
    "bangkabelitungislands": "kepulauanbangkabelitung",
    "jabar": "jawabarat", "jateng": "jawatengah", "jatim": "jawatimur",
    "ntb": "nusatenggarabarat", "ntt": "nusatenggaratimur",
    "kalbar": "kalimantanbarat", "kalteng": "kalimantantengah", "kalsel": "kalimantanselatan",
    "kaltim": "kalimantantimur", "kaltara": "kalimantanutara",
    "sulut": "sulawesiutara", "sulteng": "sulawesitengah", "sulbar": "sulawesibarat",
    "sulsel": "sulawesiselatan", "sultra": "sulawesitenggara", "malut": "malukuutara",
}  # fmt: skip


def city_key(name: str) -> str:
    """The form in which two names of one city are equal; empty for a name without letters.

    >>> city_key("Kab. Gunung Kidul") == city_key("GUNUNGKIDUL")
    True
    """
    key = municipality_key(name)
    return "jakarta" if JAKARTA.fullmatch(key) else key


def municipality_key(name: str) -> str:
    """`city_key`, but with each municipality of the capital apart."""
    words = _without(_plain(name), CITY_PREFIXES)
    for suffix in CITY_SUFFIXES:
        words = words.removesuffix(suffix)
    return words.replace(" ", "")


def whole_key(name: str) -> str:
    """The name with nothing left out: Kota Baru may be the regency Kotabaru."""
    return _plain(name).replace(" ", "")


def city_kind(name: str) -> str | None:
    """`kota` or `kabupaten`, where the name begins with it."""
    words = _plain(name)
    if words.startswith(("kota ", "kotamadya ", "kotif ", "city of ")) or words.endswith(" city"):
        return "kota"
    if words.startswith(("kabupaten ", "kab ", "regency of ")) or words.endswith(" regency"):
        return "kabupaten"
    return None


def district_key(name: str) -> str:
    """The form in which two names of one district are equal; empty for a name without letters."""
    return _without(_plain(name), DISTRICT_PREFIXES).replace(" ", "")


def province_key(name: str) -> str:
    """The form in which two names of one province are equal; empty for a name without letters."""
    words = _without(_plain(name), PROVINCE_PREFIXES)
    parts = [ISLANDS.get(word, word) for word in words.split()]
    if len(parts) > 1 and parts[0] in DIRECTIONS:
        # English puts the direction first: West Java, Jawa Barat.
        parts = [*parts[1:], DIRECTIONS[parts[0]]]
    key = "".join(parts).replace(" ", "")
    return PROVINCE_ALIASES.get(key, key)


def _without(words: str, prefixes: tuple[str, ...]) -> str:
    """`words` without the first of `prefixes` that they begin with."""
    for prefix in prefixes:
        if words.startswith(prefix + " "):
            return words[len(prefix) + 1 :]
    return words


def _plain(name: str) -> str:
    """Lower case letters and digits, single spaces between words, no accents."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    letters = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[\W_]+", " ", letters).split())
