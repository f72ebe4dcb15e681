"""A big export of sales: CSV beside `COPY … TO STDOUT` of the same query, XLSX beside XlsxWriter, memory, and proof.

`python -m bench exports [--lines N]`. Every file is written by `flask export sales` in a process of its own, with its
peak of memory; counts, sums and digests are compared with SQL, and what was written is read back.
"""

from __future__ import annotations

import csv
import hashlib
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any

import psycopg

from bench.books import FACILITY, Command, run
from bench.stage import open_shop
from tests.drills.running_shop import Shop

#: About so many lines does the demo make of one order.
LINES_OF_ORDER = 1.6
DAYS = ("2000-01-01", "2099-12-31")
QUERY = "SELECT {columns} FROM reporting.sales WHERE paid_at <= '{as_of}' ORDER BY paid_at, line_id"
#: Turns of CSV and COPY; the middle one of each counts.
ROUNDS = 3
FORMS = ("csv", "xlsx", "jsonl", "parquet")


@dataclass
class Found:
    """Seconds, bytes and what was wrong."""

    lines: int
    #: By form.
    written: dict[str, Command]
    #: Starting a process that writes nothing, which stands in each of the above.
    start: float
    copy: float
    xlsxwriter: float
    wrong: list[str] = field(default_factory=list)

    @property
    def csv_ratio(self) -> float:
        """The file without the start of its process, beside COPY."""
        return (self.written["csv"].seconds - self.start) / self.copy

    @property
    def xlsx_ratio(self) -> float:
        return (self.written["xlsx"].seconds - self.start) / self.xlsxwriter


def measure(lines: int, *, fresh: bool) -> Found:
    """Write, compare, read back."""
    orders = int(lines / LINES_OF_ORDER)
    with open_shop(orders=orders, facility=FACILITY, fresh=fresh) as shop, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with shop.owner() as connection:
            as_of = _moment(connection)
            export(shop, folder, "csv", as_of)  # what is read for the first time is read into memory
            starts: list[float] = []
            copies: list[float] = []
            written: dict[str, list[Command]] = {form: [] for form in FORMS}
            for _round in range(ROUNDS):
                written["csv"].append(export(shop, folder, "csv", as_of))
                copies.append(copy(connection, _query(folder, as_of), folder / "copy.csv"))
                starts.append(run(shop, "export", "sales", "--help").seconds)
            for form in FORMS[1:]:
                written[form].append(export(shop, folder, form, as_of))
            rival = xlsxwriter(connection, _query(folder, as_of), folder / "rival.xlsx")
            middle = {form: sorted(each, key=lambda one: one.seconds)[len(each) // 2] for form, each in written.items()}
            found = Found(0, middle, sorted(starts)[1], sorted(copies)[1], rival)
            found.lines = _check(connection, folder, as_of, found.wrong)
    return found


def export(shop: Shop, folder: Path, form: str, as_of: str) -> Command:
    """The command, as people run it."""
    out = folder / f"sales.{form}"
    options = ["--from", DAYS[0], "--to", DAYS[1], "--as-of", as_of, "--format", form, "--out", str(out)]
    done = run(shop, "export", "sales", *options)
    return Command(done.seconds, done.peak, out.stat().st_size)


def _moment(connection: psycopg.Connection[Any]) -> str:
    [(now,)] = connection.execute("SELECT clock_timestamp()").fetchall()
    return str(now.astimezone(UTC).isoformat())


def _query(folder: Path, as_of: str) -> str:
    """The export's own columns in the export's own order."""
    columns = _manifest(folder, "csv")["columns"]
    return QUERY.format(columns=", ".join(columns), as_of=as_of)


def copy(connection: psycopg.Connection[Any], query: str, out: Path) -> float:
    """Seconds of `COPY (query) TO STDOUT` into a file."""
    begun = time.monotonic()
    with out.open("wb") as file, connection.cursor().copy(_copy(query)) as rows:
        for block in rows:
            file.write(block)
    return time.monotonic() - begun


def _copy(query: str) -> bytes:
    return f"COPY ({query}) TO STDOUT (FORMAT csv)".encode()


def xlsxwriter(connection: psycopg.Connection[Any], query: str, out: Path) -> float:
    """Seconds of the same rows by XlsxWriter with constant memory, typed alike."""
    import xlsxwriter as rival

    begun = time.monotonic()
    book = rival.Workbook(str(out), {"constant_memory": True, "remove_timezone": True})
    sheet, when = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    with connection.transaction(), connection.cursor(name="rival") as cursor:
        cursor.itersize = 5000
        cursor.execute(query.encode())
        for number, row in enumerate(cursor, 1):
            for column, value in enumerate(row):
                if column == 2:
                    sheet.write_datetime(number, column, value, when)
                elif isinstance(value, int):
                    sheet.write_number(number, column, value)
                elif value is not None:
                    sheet.write_string(number, column, value)
    book.close()
    return time.monotonic() - begun


def _manifest(folder: Path, form: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"sales.{form}.manifest.json").read_text())
    return found


def _check(connection: psycopg.Connection[Any], folder: Path, as_of: str, wrong: list[str]) -> int:
    """Compare all files with SQL; returns the lines. What differs is told in `wrong`."""
    told = _manifest(folder, "csv")
    sums = ", ".join(f"sum({name})::bigint" for name in told["sums"])
    query = f"SELECT count(*), {sums} FROM reporting.sales WHERE paid_at <= '{as_of}'"
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    for form in FORMS:
        found, file = _manifest(folder, form), folder / f"sales.{form}"
        if (found["row_count"], *found["sums"].values()) != tuple(row):
            wrong.append(f"{form}: rows or sums")
        with file.open("rb") as opened:
            if hashlib.file_digest(opened, "sha256").hexdigest() != found["sha256"]:
                wrong.append(f"{form}: sha256")
        counted, added = READERS[form](file)
        if (counted, added) != (row[0], found["sums"]["net_amount"]):
            wrong.append(f"{form}: read back {counted} rows, {added}")
    return int(row[0])


def _read_csv(file: Path) -> tuple[int, int]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        amounts = [int(row["net_amount"]) for row in csv.DictReader(opened)]
    return len(amounts), sum(amounts)


def _read_xlsx(file: Path) -> tuple[int, int]:
    import openpyxl

    rows = openpyxl.load_workbook(file, read_only=True)["Penjualan"].iter_rows(values_only=True)
    place = next(rows).index("net_amount")
    amounts = [int(str(row[place])) for row in rows]
    return len(amounts), sum(amounts)


def _read_jsonl(file: Path) -> tuple[int, int]:
    with file.open() as opened:
        amounts = [json.loads(line)["net_amount"] for line in opened]
    return len(amounts), sum(amounts)


def _read_parquet(file: Path) -> tuple[int, int]:
    import pyarrow.parquet as pq

    amounts = pq.read_table(file, columns=["net_amount"])["net_amount"].to_pylist()
    return len(amounts), sum(amounts)


READERS: dict[str, Callable[[Path], tuple[int, int]]] = {
    "csv": _read_csv, "xlsx": _read_xlsx, "jsonl": _read_jsonl, "parquet": _read_parquet,
}  # fmt: skip
