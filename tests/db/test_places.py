"""Every city and district of the country is found by its name, and an address that is messy is never refused."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront.shipping import load_places
from storefront.shipping.advice import advise, fingerprint
from storefront.shipping.destinations import destination_for, meet
from storefront.shipping.find_places import choices_for, fill, search_places, with_code
from storefront.shipping.load_places import Counts
from storefront.shipping.match_places import Whereabouts, towns
from storefront.shipping.quote import reach_to
from storefront.shipping.rates import load_origins
from storefront.shipping.shown_city import is_known
from tests.clones import Clone
from tests.factories import make_facility

CITIES = "SELECT code, id FROM cities UNION ALL SELECT code, id FROM districts"


def the(session: Session, query: str) -> Any:
    return session.execute(text(query)).scalar_one()


def province(session: Session, name: str) -> int:
    return int(session.execute(text("SELECT id FROM provinces WHERE name = :n"), {"n": name}).scalar_one())


def town_of(province: str, city: str, district: str = "", code: str = "") -> str | None:
    there = destination_for(province, city, district, code)
    return towns([Whereabouts(there.province_id, there.city, there.district, there.postal_code)])[0]


#: Ways in which somebody writes a city's name, from the official one.
WRITINGS: list[Callable[[str], str]] = [
    str.upper,
    lambda name: name.partition(" ")[2].lower(),
    lambda name: f"  {name.replace('Kabupaten', 'Kab.').swapcase()} ",
]


def test_every_district_of_the_country_is_found_by_its_own_name(places: Counts, db_session: Session) -> None:
    assert (places.cities, places.districts) == (514, 7285)
    rows = db_session.execute(
        text(
            """SELECT c.province_id, c.name, d.name, c.town, d.key, c.key FROM districts d
            JOIN cities c ON c.id = d.city_id"""
        )
    ).all()
    # Where a regency's district bears the name of its twin's, the district alone cannot decide.
    twins = {row[:2] for row in db_session.execute(text(
        """SELECT d.id, other.id FROM districts d JOIN cities c ON c.id = d.city_id
        JOIN cities twin ON twin.key = c.key AND twin.province_id = c.province_id AND twin.id <> c.id
        JOIN districts other ON other.city_id = twin.id AND other.key = d.key"""))}  # fmt: skip
    for number, write in enumerate(WRITINGS):
        wanted = [Whereabouts(row[0], write(row[1]), f"Kec. {row[2].upper()}") for row in rows]
        wrong = [(w, row[3]) for w, row, town in zip(wanted, rows, towns(wanted), strict=True) if town != row[3]]
        # Without the word before it, those few names stay in doubt, and are charged as another city.
        assert len(wrong) <= (len(twins) if number == 1 else 0), wrong[:5]


def test_each_city_is_one_place_by_its_name_and_kind(places: Counts, db_session: Session) -> None:
    rows = db_session.execute(text("SELECT province_id, name, town FROM cities")).all()
    for write in (str, WRITINGS[0], WRITINGS[2]):
        found = towns([Whereabouts(row[0], write(row[1])) for row in rows])
        assert [town for town, row in zip(found, rows, strict=True) if town != row[2]] == []


def test_who_writes_is_shown_by_a_city_and_by_nothing_else(places: Counts, db_session: Session) -> None:
    for name in ("Semarang", "kota bandung", "Kab. Gunung Kidul", "Jakarta Selatan", "Jakarta", "Jogja", "Solo", ""):
        assert is_known(name), name
    for name in ("Budi Santoso", "Banyumanik", "Blok C"):
        assert not is_known(name), name


def test_loading_again_changes_nothing_and_a_newer_list_keeps_ids(
    places: Counts, owner_connection: psycopg.Connection[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dict(owner_connection.execute(CITIES).fetchall())  # type: ignore[arg-type]
    rows = owner_connection.execute("SELECT xmin, * FROM districts ORDER BY id").fetchall()
    assert load_places.load(owner_connection) == places
    assert owner_connection.execute("SELECT xmin, * FROM districts ORDER BY id").fetchall() == rows
    newer = gzip.decompress(load_places.FILE.read_bytes()).decode()
    newer = newer.replace("33.74.11,Banyumanik,", "33.74.11,Banyumanik Baru,50299 ")
    newer = newer.replace("33.74.08,Candisari", "33.74.99,Candisari")
    file = tmp_path / "places.csv.gz"
    file.write_bytes(gzip.compress(newer.encode()))
    monkeypatch.setattr(load_places, "FILE", file)
    monkeypatch.setattr(load_places, "VERSION", "newer")
    assert not load_places.is_current(owner_connection)
    load_places.load(owner_connection)
    assert load_places.is_current(owner_connection)
    after = dict(owner_connection.execute(CITIES).fetchall())  # type: ignore[arg-type]
    assert before.keys() - after.keys() == {"33.74.08"}
    assert after.keys() - before.keys() == {"33.74.99"}
    assert all(after[code] == before[code] for code in before.keys() & after.keys())
    renamed = "SELECT d.name, p.code FROM districts d JOIN postal_codes p ON p.district_id = d.id WHERE d.code = %s"
    assert ("Banyumanik Baru", "50299") in owner_connection.execute(renamed, ["33.74.11"]).fetchall()


def test_the_command_loads_and_the_web_may_only_read(app: Flask, database: Clone, database_url: str) -> None:
    answer = app.test_cli_runner().invoke(args=["places", "load"])
    assert answer.output == "514 cities and regencies, 7285 districts, 10632 postal codes\n"
    with psycopg.connect(database_url) as web:
        assert web.execute("SELECT count(*) FROM districts").fetchone() == (7285,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            web.execute("DELETE FROM postal_codes")


@pytest.mark.parametrize(
    ("city", "district", "code", "town"),
    [
        ("pekalongan", "pekalongan barat", "", "kota pekalongan"),
        ("Kabupaten Pekalongan", "Pekalongan Barat", "", "kota pekalongan"),  # the district knows better
        ("Kab Pekalongan", "", "", "kabupaten pekalongan"),
        ("KOTA PEKALONGAN", "Entah", "", "kota pekalongan"),
        ("Pekalongan", "Entah", "51111", "kota pekalongan"),
        ("Pekalongan", "Entah", "", ""),
        ("Entah", "Pekalongan Barat", "51111", ""),
    ],
)
def test_a_name_that_two_share_is_decided_by_what_else_was_written(
    places: Counts, db_session: Session, city: str, district: str, code: str, town: str
) -> None:
    assert town_of("jawa tengah", city, district, code) == town


def test_the_capital_is_one_city_and_a_split_name_is_found(places: Counts, db_session: Session) -> None:
    assert town_of("Jakarta", "Jakarta") == town_of("DKI Jakarta", "Jakarta Timur") == "kota jakarta"
    assert town_of("Kalimantan Selatan", "Kota Baru") == "kabupaten kotabaru"
    assert town_of("Kalimantan Tengah", "Kota Waringin Barat") == "kabupaten kotawaringinbarat"


def test_a_facility_is_placed_by_its_address(places: Counts, db_session: Session) -> None:
    facility = make_facility(city="Bekasi", province="Jawa Barat", address="Jalan Ragi 15, Cikarang Pusat")

    def reach(city: str, district: str) -> str:
        origins, there = meet(load_origins([facility.id]), destination_for("Jawa Barat", city, district))
        assert origins[facility.id].town == "kabupaten bekasi"
        return reach_to(origins[facility.id], there)

    assert reach("Bekasi", "Cikarang Utara") == "same_city"
    assert reach("Bekasi", "Rawalumbu") == "province"
    assert reach("Bekasi", "???") == "province"
    far = destination_for("Bali", "Badung", "Kuta Utara")
    assert meet(load_origins([facility.id]), far)[1] is far  # nobody needs to know which town


def test_a_postal_code_fills_the_rest_or_gives_a_choice(places: Counts, db_session: Session) -> None:
    assert fill({"postal_code": "50263"}).values == {
        "province": "Jawa Tengah", "city": "Kota Semarang", "district": "Banyumanik",
    }  # fmt: skip
    shared = the(db_session, "SELECT code FROM postal_codes GROUP BY code HAVING count(*) = 3 ORDER BY 1 LIMIT 1")
    several = fill({"postal_code": shared})
    assert len(several.choices) == 3
    assert "district" not in several.values
    chosen = fill({"postal_code": shared}, several.choices[1].code)
    assert chosen.values["district"] == several.choices[1].district
    assert chosen.choices == ()
    # What was typed is never replaced, also where it does not fit.
    assert fill({"postal_code": "50263", "province": "Bali"}).values == {}
    typed = {"postal_code": "50263", "province": "jateng", "city": "semarang", "district": "x"}
    assert fill(typed).values == {}
    assert fill({"postal_code": "5026"}).values == {}


def test_each_field_narrows_the_next(places: Counts, db_session: Session) -> None:
    choices = choices_for({"province": "DI Yogyakarta", "city": "sleman", "district": "Depok"})
    assert choices["city"] == [
        "Kabupaten Bantul", "Kabupaten Gunungkidul", "Kabupaten Kulon Progo", "Kabupaten Sleman", "Kota Yogyakarta",
    ]  # fmt: skip
    assert "Ngaglik" in choices["district"]
    assert "Kotagede" not in choices["district"]
    assert choices["postal_code"] == ["55281", "55282", "55283"]
    # A district with one code fills it.
    assert fill({"province": "DI Yogyakarta", "city": "Sleman", "district": "depok"}).values == {}
    moyudan = {"province": "DI Yogyakarta", "city": "Sleman", "district": "kapanewon MOYUDAN"}
    assert fill(moyudan).values == {"postal_code": "55563"}
    assert choices_for({"province": "?"}) == {"city": [], "district": [], "postal_code": []}


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("50263", ["Banyumanik, Kota Semarang, Jawa Tengah"]),
        ("banyumanik", ["Banyumanik, Kota Semarang, Jawa Tengah"]),
        ("Depok, Sleman", ["Depok, Kabupaten Sleman, DI Yogyakarta"]),
        ("99999", []),
        ("zzz", []),
        ("", []),
    ],
)
def test_a_place_is_searched_in_one_line(
    places: Counts, db_session: Session, written: str, found: list[str]
) -> None:
    assert [place.label for place in search_places(written)] == found


def test_a_city_stands_for_any_of_its_districts(places: Counts, db_session: Session) -> None:
    assert {place.city for place in search_places("bogor")} == {"Kota Bogor", "Kabupaten Bogor"}
    assert [place.city for place in search_places("kota bogor")] == ["Kota Bogor"]


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({}, None, ""),
        ({"province": "Bali"}, "postal_code", "Kode pos 50263 milik Banyumanik, Kota Semarang, Jawa Tengah."),
        ({"province": "Bali"}, "city", "Kota Semarang ada di provinsi Jawa Tengah."),
        ({"city": "Cikarang", "district": "Cikarang Pusat", "province": "Jawa Barat"}, "city",
         "Kecamatan Cikarang Pusat ada di Kabupaten Bekasi."),
        ({"city": "Wakanda"}, "city", "Kecamatan Banyumanik ada di Kota Semarang."),
        ({"city": "Wakanda", "district": ""}, "city", "tidak ada di daftar kami untuk Jawa Tengah"),
        ({"district": "", "city": "Semarang"}, "city", "Ada Kabupaten Semarang dan Kota Semarang. Tulis yang mana."),
        ({"district": "Ungaran Barat", "city": "Kota Salatiga"}, "district",
         "Kecamatan Ungaran Barat ada di Kabupaten Semarang."),
        ({"district": "Entah"}, "district", "tidak ada di daftar kami untuk Kota Semarang"),
        ({"postal_code": "50511"}, "postal_code", "Kode pos 50511 milik Ungaran Barat, Kabupaten Semarang."),
        ({"postal_code": "50271"}, "postal_code", "Kode pos Banyumanik: 50261, 50262, 50263 …"),
        ({"postal_code": "10001"}, "postal_code", "tidak ada di daftar kami"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_with_what_would(
    places: Counts, app: Flask, db_session: Session, changes: dict[str, str], field: str | None, says: str
) -> None:
    address = {"province": "Jawa Tengah", "city": "Kota Semarang", "district": "Banyumanik", "postal_code": "50263"}
    with app.test_request_context("/"):
        advice = advise({**address, **changes})
    if field is None:
        assert (advice, fingerprint(advice)) == ({}, "")
    else:
        assert says in advice[field], advice
        assert len(fingerprint(advice)) == 16


def test_a_code_is_looked_up_in_no_time(places: Counts, db_session: Session) -> None:
    plan = "\n".join(db_session.scalars(text("EXPLAIN SELECT district_id FROM postal_codes WHERE code = '50263'")))
    assert "Index" in plan
    assert len(with_code("50263")) == 1
