"""*Pembeli di <kota>*: the one thing that is shown of who writes, so it must be a city and nothing else."""

from __future__ import annotations

import re
from functools import cache

from sqlalchemy import select

from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.shipping.places import city_key

LONGEST = 60
LETTERS = re.compile(r"[^\W\d_][^\d_@:/<>]{1,59}")
#: Cities and regencies that most orders go to; those with a facility are known beside them.
KNOWN = """
Ambon, Badung, Balikpapan, Banda Aceh, Bandar Lampung, Bandung, Bandung Barat, Banggai, Bangkalan, Bangli, Banjar,
Banjarbaru, Banjarmasin, Bantul, Banyumas, Banyuwangi, Batam, Batang, Batu, Baubau, Bekasi, Belitung, Bengkulu, Bima,
Binjai, Bitung, Blitar, Blora, Bogor, Bojonegoro, Bondowoso, Bontang, Boyolali, Brebes, Bukittinggi, Buleleng, Cianjur,
Cilacap, Cilegon, Cimahi, Cirebon, Deli Serdang, Demak, Denpasar, Depok, Dumai, Ende, Garut, Gianyar, Gorontalo, Gowa,
Gresik, Grobogan, Gunungkidul, Indramayu, Jakarta, Jambi, Jayapura, Jember, Jepara, Jombang, Karanganyar, Karangasem,
Karawang, Kebumen, Kediri, Kendal, Kendari, Klaten, Klungkung, Kudus, Kulon Progo, Kuningan, Kupang, Kutai Kartanegara,
Lamongan, Langsa, Lhokseumawe, Lombok Barat, Lombok Tengah, Lombok Timur, Lubuklinggau, Lumajang, Madiun, Magelang,
Magetan, Majalengka, Makassar, Malang, Mamuju, Manado, Manokwari, Mataram, Medan, Merauke, Metro, Mojokerto, Nganjuk,
Ngawi, Pacitan, Padang, Padang Panjang, Padangsidimpuan, Palangka Raya, Palembang, Palopo, Palu, Pamekasan, Pandeglang,
Pangkalpinang, Parepare, Pariaman, Pasuruan, Pati, Payakumbuh, Pekalongan, Pekanbaru, Pemalang, Pematangsiantar,
Ponorogo, Pontianak, Prabumulih, Probolinggo, Purbalingga, Purwakarta, Purworejo, Rembang, Sabang, Salatiga, Samarinda,
Sampang, Sawahlunto, Semarang, Serang, Sibolga, Sidoarjo, Singkawang, Situbondo, Sleman, Solok, Sorong, Sragen, Subang,
Sukabumi, Sukoharjo, Sumbawa, Sumedang, Sumenep, Surabaya, Surakarta, Solo, Tabanan, Tangerang, Tangerang Selatan,
Tanjungbalai, Tanjungpinang, Tarakan, Tasikmalaya, Tebing Tinggi, Tegal, Temanggung, Ternate, Tidore Kepulauan, Tomohon,
Trenggalek, Tuban, Tulungagung, Wonogiri, Wonosobo, Yogyakarta, Jogja
"""


def plain_city(written: str) -> str:
    """`written` as a city may be shown; empty when it cannot be one."""
    line = " ".join(written.split())
    return line if line and len(line) <= LONGEST and LETTERS.fullmatch(line) else ""


def is_known(city: str) -> bool:
    """Whether there is such a city or regency, as far as we know; the empty one is no secret either."""
    key = city_key(city)
    return not city or key in _known() or key in {city_key(name) for name in _of_facilities()}


def _of_facilities() -> list[str]:
    return list(db.session.scalars(select(Facility.city).distinct()))


@cache
def _known() -> frozenset[str]:
    return frozenset(city_key(name) for name in KNOWN.split(","))
