"""What must not stand in a public text unseen: numbers that name an inmate, ways to pay or meet outside the shop,
words about an offence, and people's names.

Pure functions over text. They never decide: what they find waits for a person, with the reason. So they may be
wrong on the careful side, but a price, a size, a date or an order number is none of these things.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a text needs a person."""

    INMATE_NUMBER = "inmate_number"
    PHONE = "phone"
    ACCOUNT_NUMBER = "account_number"
    EMAIL = "email"
    LINK = "link"
    OFFENCE = "offence"
    NAME = "name"


@dataclass(frozen=True)
class Match:
    """One thing found, as it was written."""

    reason: Reason
    text: str


#: Signs that are seen as nothing, or turn the reading direction.
INVISIBLE = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
#: Digits in other dress between digits: O812, l2.
LOOKALIKES = str.maketrans({"O": "0", "o": "0", "l": "1", "I": "1", "|": "1"})
WORDS_FOR_DIGITS = {
    "nol": "0", "kosong": "0", "satu": "1", "dua": "2", "tiga": "3", "empat": "4", "lima": "5", "enam": "6",
    "tujuh": "7", "delapan": "8", "lapan": "8", "sembilan": "9", "zero": "0", "one": "1", "two": "2", "three": "3",
    "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
SPOKEN = re.compile(rf"\b(?:(?:{'|'.join(WORDS_FOR_DIGITS)})[\s,.-]*){{6,}}", re.IGNORECASE)

EMAIL = re.compile(
    r"[\w.+-]+\s*(?:@|\(at\)|\[at\]|\{at\}|\s+(?:at|et)\s+)\s*[\w-]+\s*(?:\.|\(dot\)|\[dot\]|\s+(?:dot|titik)\s+)\s*"
    r"[a-z]{2,}",
    re.IGNORECASE,
)
LINK = re.compile(
    r"(?:https?|ftp)\s*:\s*/\s*/\s*\S+|\bwww\s*\.\s*\S+"
    r"|(?<![\w-])(?:[a-z0-9-]{1,63}\.){0,3}[a-z0-9-]{1,63}(?:\s?\.\s?(?:com|net|org|co\.id)|\.(?:id|co|me|ly|link|shop|store"
    r"|info|biz|xyz|site|online|app|io|page|gg|bio|web|click|top|to|cc|tv|asia|pro|club|live|vip))\b(?:/\S*)?"
    r"|(?<![\w@])@[a-z0-9_.]{4,}"
    r"|\b(?:ig|instagram|tiktok|telegram|facebook|fb|shopee|tokopedia|lazada|line)\s*(?::|=|\bid\b)\s*\S+",
    re.IGNORECASE,
)
#: A number in a row of at least nine digits, with the spaces, dots and dashes that people put in.
DIGITS = re.compile(r"(?<![\w])\+?\(?[\dO](?:[\s().\-_/]{0,2}[\dOolI|]){7,24}(?![\w])")
GROUPED = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d{1,2})?")
DATE = re.compile(r"\d{1,2}[\s./-]\d{1,2}[\s./-]\d{2,4}|\d{4}-\d{2}-\d{2}")
YEARS = re.compile(r"(?:19|20)\d{2}\s?[-/]\s?(?:19|20)\d{2}")
PHONE = re.compile(r"(?:\+|00)?62\d{7,13}|0\d{8,13}|8[1-9]\d{7,11}")
#: Said before a short number, it is one to call or to pay to.
CALL = re.compile(
    r"\b(?:wa|w\.a|whats\s?app|telp|telepon|telpon|phone|call|hub(?:ungi)?|hp|sms)\b[^\d\n]{0,20}\+?\d[\d\s.-]{4,}",
    re.IGNORECASE,
)
PAY = re.compile(
    r"\b(?:no(?:mor)?\.?\s*)?(?:rek(?:ening)?|va|virtual account|account (?:no|number))\b\.?[^\d\n]{0,30}\d[\d\s.-]{4,}"
    r"|\b(?:bca|bri|bni|mandiri|bsi|btn|cimb|permata|danamon|dana|ovo|gopay|go-pay|shopeepay|linkaja|qris|seabank|jago"
    r"|flip|paypal)\b[^\d\n]{0,20}\d[\d\s.-]{4,}"
    r"|\b(?:transfer|tf|kirim uang|bayar(?:nya)?|pay|send money)\s+(?:ke|langsung|via|lewat|to|directly|by)\b"
    r"[^.\n]{0,30}\b(?:rek(?:ening)?|dana|ovo|gopay|bca|bri|bni|mandiri|bsi|saya|kami|pribadi|account|me|us)\b",
    re.IGNORECASE,
)
INMATE_NUMBER = re.compile(
    r"\b(?:no(?:mor)?\.?|nr|number)\s*(?:reg(?:ister|istrasi|istration)?|induk|tahanan|napi|narapidana|wbp?|inmate"
    r"|prisoner)\b\.?\s*:?\s*(?:[\w./-]*\d[\w./-]*)?"
    r"|\b(?:reg(?:ister)?\.?|nrp?|nib)\s*[:.]?\s*[A-B]\s*\.?\s*[I]{1,3}\w?\b\S*"
    r"|\b[AB]\s?\.?\s?(?:I{1,3}|IV)\s?[.\-/]?\s?(?:[a-z]\s?[.\-/])?\s?\d{1,5}\s?/\s?\d{2,4}\b"
    r"|\bB\.?\s?I{1,3}[ab]?\s*[.\-/]?\s*(?:no\.?)?\s*\d{2,}(?:/\S+)?",
    re.IGNORECASE,
)
OFFENCE = re.compile(
    r"\b(?:(?:men|pen|ke)?curi(?:an|annya)?|maling|(?:pe|me)?rampok(?:an)?|begal|(?:pem|mem|ter|di)bunuh(?:an)?"
    r"|korup(?:si|tor)|gratifikasi|narkoba|narkotika|sabu(?:-sabu)?|ganja|ekstasi|pengedar|bandar narkoba"
    r"|(?:pem|mem|di)?perkosa(?:an)?|cabul|pencabulan|teroris(?:me)?|(?:pen|me|ter|di)tipu(?:an)?|penipu(?:an)?"
    r"|penggelapan|penganiaya(?:an)?|kdrt|vonis|divonis|tervonis|hukuman|dihukum|terhukum|tersangka|terdakwa|terpidana"
    r"|pidana|dipidana|(?:di)?penjara(?:kan)? (?:karena|gara)|residivis|(?:mantan|bekas|eks) (?:napi|narapidana)"
    r"|kejahatan|penjahat|kriminal|dosa(?:nya)?|pelaku"
    r"|thie(?:f|ves)|theft|stole|steal(?:ing)?|robber(?:y|s)?|murder(?:er|ers|ed)?|killer|rapist|rape[ds]?"
    r"|drug (?:dealer|lord|offen[cs]e)|crime|criminals?|convict(?:s|ed)?|felons?|offend(?:er|ers)|offen[cs]es?"
    r"|sentenced|fraudster|terrorist|ex-con)\b",
    re.IGNORECASE,
)
#: A capital and small letters: how names are written. Words that begin a sentence or address somebody are none.
_NAME = r"(?-i:[A-Z][a-z']{1,20}(?:\s+(?:bin|binti|[A-Z][a-z']{1,20}|[A-Z]\.?))*)"
_NO_NAME = (
    r"(?!(?:Lapas|Rutan|Bapak|Ibu|Pak|Bu|Kak|Kakak|Anda|Kami|Saya|Petugas|Bengkel|Tangan|Kelas|Warga|Para|Semua|Mereka"
    r"|Indonesia|Jawa|Bali|Hand|The|We|You|Our|All|Prison|Workshop|Yang|Dan|Untuk|Ini|Itu|Guru|Sendiri|Rumah|Terima"
    r"|Terimakasih|Thanks|Thank|LPP|LPKA|UPT)\b)"
)
_MAKER = r"(?:narapidana|napi|warga binaan|wbp|tahanan|(?:pembuat|perajin|pengrajin)(?:nya)?|inmate|prisoner|maker)"
_TITLE = r"(?:pak|bu|bapak|ibu|mas|mbak|bang|kang|mr|mrs|ms|sdri?)\.?"
_MADE = r"(?:dibuat|dikerjakan|dijahit|dianyam|diukir|dirajut|ditenun|made|crafted|sewn|carved)"
NAME = re.compile(
    rf"\b{_MAKER}\b\s+(?:yang\s+|is\s+)?(?:bernama|namanya|a\.?\s?n\.?|named|called)\s+[\w']{{2,}}"
    rf"|\b{_MAKER}\b(?:\s+(?:adalah|ialah|is|itu)|\s*[,:])?\s+(?:{_TITLE}\s+)?{_NO_NAME}{_NAME}"
    rf"|\b(?:bernama|atas nama|a\.n\.|named|by the name of)\s+[\w']{{2,}}"
    rf"|\b{_MADE}\s+(?:oleh|by)\s+{_NO_NAME}{_NAME}"
    rf"|\b{_TITLE}\s+{_NO_NAME}{_NAME}"
    rf"|\b(?:nama saya|perkenalkan,? saya|my name is|i am called)\s+[\w']{{2,}}"
    rf"|\b(?:salam|hormat (?:kami|saya)|regards|sincerely|cheers)\s*,?\s*\n?\s*{_NO_NAME}{_NAME}\s*$",
    re.IGNORECASE,
)
PATTERNS = (
    (Reason.INMATE_NUMBER, INMATE_NUMBER),
    (Reason.EMAIL, EMAIL),
    (Reason.LINK, LINK),
    (Reason.PHONE, CALL),
    (Reason.ACCOUNT_NUMBER, PAY),
    (Reason.OFFENCE, OFFENCE),
    (Reason.NAME, NAME),
)
#: An order's number is random letters and says nothing.
ORDER_NUMBER = re.compile(r"\b[A-Z]{2}-[0-9A-Z]{4}-[0-9A-Z]{4}\b")


def clean(text: str) -> str:
    """`text` as it is kept: one way of writing each letter, no invisible or turning signs, no more than one empty
    line in a row, no space at the ends."""
    text = unicodedata.normalize("NFC", INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    text = "".join(sign for sign in text if sign in "\n\t" or unicodedata.category(sign)[0] != "C")
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def find(text: str) -> list[Match]:
    """What in `text` needs a person, in the order of the reasons; nothing: it may be shown."""
    plain = ORDER_NUMBER.sub(" ", unicodedata.normalize("NFKC", INVISIBLE.sub("", text)))
    found = [
        Match(reason, hit.group().strip())
        for reason, pattern in PATTERNS
        for hit in pattern.finditer(plain)
        if hit.group().strip()
    ]
    found += _numbers(plain)
    spoken = SPOKEN.search(plain)
    if spoken:
        found.append(Match(Reason.PHONE, spoken.group().strip()))
    return list({(match.reason, match.text): match for match in found}.values())


def reasons(*texts: str) -> list[str]:
    """The reasons of all `texts`, each once, in a fixed order."""
    found = {match.reason for text in texts for match in find(text)}
    return [reason.value for reason in Reason if reason in found]


def _numbers(text: str) -> list[Match]:
    """Numbers long enough to call or to pay to, that are no price, date or span of years."""
    found = []
    for hit in DIGITS.finditer(text):
        written = hit.group().strip()
        if GROUPED.fullmatch(written) or DATE.fullmatch(written) or YEARS.fullmatch(written):
            continue
        digits = re.sub(r"[^\d+]", "", written.translate(LOOKALIKES))
        if len(digits) < 9 or sum(sign.isdigit() for sign in written) < 5:
            continue
        is_phone = PHONE.fullmatch(digits) is not None
        found.append(Match(Reason.PHONE if is_phone else Reason.ACCOUNT_NUMBER, written))
    return found
