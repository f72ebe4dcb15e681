"""An import of 10,000 rows: how many a second, and how much memory the process takes that does it.

`python -m bench imports`. The file is read and run as the worker does it, in a process of its own on the bench's
shop; half of the rows are new products, half change price and stock of products that are listed.
"""

from __future__ import annotations

import csv
import io
import json
import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.stage import open_shop
from bench.steps import app_of
from tests.drills.running_shop import PROJECT, Shop

ROWS = 10_000
FACILITY, COORDINATOR = "PKL", "coordinator@demo.test"
#: Products that are made before the clock starts, so that there is something to change.
LISTED = ROWS // 2


@dataclass(frozen=True)
class Measured:
    """Seconds, and megabytes at most (VmHWM of the process)."""

    rows: int
    stored: int
    read_seconds: float
    run_seconds: float
    #: Processor time of the process, without the database's.
    cpu_seconds: float
    idle: float
    peak: float

    @property
    def rate(self) -> float:
        """Rows a second, reading and running together."""
        return self.rows / (self.read_seconds + self.run_seconds)


def measure(*, fresh: bool) -> Measured:
    """Import in a child, so that its peak is its own."""
    with open_shop(fresh=fresh) as shop:
        command = [sys.executable, "-m", "bench.imports"]
        done = subprocess.run(command, cwd=PROJECT, env=shop.environment(), capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        return Measured(**json.loads(done.stdout.splitlines()[-1]))


def _memory(name: str) -> float:
    """A line of /proc/self/status, in megabytes."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1000 for line in status if line.startswith(f"{name}:"))


def _file(run: str, skus: list[str]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    writer.writerow(
        ["Kode karya", "SKU", "Nama karya", "Cerita", "Bengkel", "Kategori", "Harga", "Berat (gram)", "Stok"]
    )
    for number, sku in enumerate(skus):
        writer.writerow(["", sku, "", "", "", "", 60_000 + number % 900, "", 3 + number % 40])
    workshop, category = _choices()
    for number in range(ROWS - len(skus)):
        words = [
            f"bench-{run}-{number}",
            "",
            f"Taplak bordir nomor {number}",
            "Dibordir dengan tangan.",
            workshop,
            category,
        ]
        writer.writerow([*words, 50_000 + number, 400, 5])
    return text.getvalue().encode("utf-8-sig")


def _choices() -> tuple[str, str]:
    from sqlalchemy import select

    from storefront.catalogue.models import Category
    from storefront.extensions import db
    from storefront.facilities.models import Facility, Workshop

    of_facility = select(Workshop.name).join(Facility).where(Facility.code == FACILITY)
    return db.session.scalars(of_facility).first() or "", db.session.scalars(
        select(Category.slug)
    ).first() or ""


def _list_products(facility_id: int) -> list[str]:
    """SKUs of many products of the facility, made if there are none yet: not by the shop, which takes its time."""
    from sqlalchemy import text

    from storefront.extensions import db

    there = "SELECT sku FROM variants WHERE sku LIKE 'BENCH-%' ORDER BY sku LIMIT :many"
    skus = list(db.session.scalars(text(there), {"many": LISTED}))
    if len(skus) == LISTED:
        return skus
    db.session.execute(
        text(
            """WITH made AS (
                   INSERT INTO products (facility_id, workshop_id, category_id, slug, title, description)
                   SELECT :facility, (SELECT min(id) FROM workshops WHERE facility_id = :facility),
                          (SELECT min(id) FROM categories), 'bench-' || n, 'Sarung bench ' || n, ''
                     FROM generate_series(1, :many) n RETURNING id, slug)
               INSERT INTO variants (product_id, sku, price, weight_g)
               SELECT id, upper(slug), 50000, 400 FROM made"""
        ),
        {"facility": facility_id, "many": LISTED},
    )
    db.session.commit()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE products, variants"))
    return list(db.session.scalars(text(there), {"many": LISTED}))


def _import() -> dict[str, Any]:
    from sqlalchemy import select

    from storefront.extensions import db
    from storefront.facilities.models import Facility
    from storefront.listing_files import keeping, reading, run
    from storefront.listing_files.models import ListingImport
    from storefront.people.models import Person

    facility_id = db.session.scalars(select(Facility.id).where(Facility.code == FACILITY)).one()
    person_id = db.session.scalars(select(Person.id).where(Person.email == COORDINATOR)).one()
    name = secrets.token_hex(4)
    content = _file(name, _list_products(facility_id))
    key = secrets.token_urlsafe(18)
    found = keeping.upload(
        facility_id, f"{name}.csv", content, form_key=key, language="id", person_id=person_id
    )
    import_id, idle, begun, used = found.id, _memory("VmRSS"), time.monotonic(), time.process_time()
    reading.read_import(import_id)
    read_at = time.monotonic()
    found = db.session.get_one(ListingImport, import_id)
    found.state, found.on_fault, found.begun_by, found.begun_at = (
        "running",
        "skip",
        person_id,
        found.created_at,
    )
    db.session.commit()
    run.work_on(facility_id, seconds=3600)
    ended = time.monotonic()
    found = db.session.get_one(ListingImport, import_id, populate_existing=True)
    return {
        "rows": found.rows, "stored": found.stored, "read_seconds": read_at - begun, "run_seconds": ended - read_at,
        "cpu_seconds": time.process_time() - used, "idle": idle, "peak": _memory("VmHWM"),
    }  # fmt: skip


def main() -> None:
    """In the child: the last line printed is what was measured."""
    with app_of(Shop(Path(os.environ["VAR_DIR"]))).app_context():
        print(json.dumps(_import()))


if __name__ == "__main__":
    main()
