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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date
from pathlib import Path
from typing import Any

import psycopg

from bench.books import Command, run
from bench.stage import open_database
from storefront.exports.workbook import SHEET_ROWS
from tests.drills.running_shop import Shop, cpu_of, descendants

#: A little fewer lines than the demo makes of one order (1.22 of 666,666), so that there are always enough.
LINES_OF_ORDER = 1.2
LAST = "2099-12-31"
#: Sold from the first day on, by the accounting zone's clock.
SOLD = "paid_at >= timestamp '{first}' AT TIME ZONE 'Asia/Jakarta' AND paid_at <= '{as_of}'"
QUERY = f"SELECT {{columns}} FROM reporting.sales WHERE {SOLD} ORDER BY paid_at, line_id"
#: How many lines were sold on a day and after it.
SINCE = """
    SELECT day, sum(lines) OVER (ORDER BY day DESC)::bigint
      FROM (SELECT accounting_date(o.paid_at) AS day, count(*) AS lines
              FROM orders o JOIN order_lines l ON l.order_id = o.id WHERE o.state = 'paid' GROUP BY 1) days
     ORDER BY day"""
#: Turns of CSV and COPY; the middle one of each counts.
ROUNDS = 3
FORMS = ("csv", "xlsx", "jsonl", "parquet")
#: Of issue 8: beside the rival, and bytes.
CSV_AIM, XLSX_AIM, MEMORY_AIM = 1.5, 0.25, 150_000_000


@dataclass
class Spent:
    """Seconds by the clock, and of processors: our own, the database's and a command's."""

    seconds: float = 0.0
    cpu: float = 0.0


@dataclass
class Found:
    """What each took, and what was wrong."""

    lines: int
    #: By form.
    written: dict[str, Command]
    spent: dict[str, Spent]
    #: Starting a process that writes nothing, which stands in each of the above.
    start: Spent
    copy: Spent
    xlsxwriter: Spent
    wrong: list[str] = field(default_factory=list)

    def ratio(self, form: str, of: str) -> float:
        """A file without the start of its process, beside its rival; `of`: seconds, or cpu."""
        rival = self.copy if form == "csv" else self.xlsxwriter
        own: float = getattr(self.spent[form], of) - getattr(self.start, of)
        return own / getattr(rival, of)

    @property
    def too_much(self) -> list[str]:
        """Which aims are missed, by the clock."""
        found = [f"{form} ×{self.ratio(form, 'seconds'):.2f}" for form, aim in (("csv", CSV_AIM), ("xlsx", XLSX_AIM))
                 if self.ratio(form, "seconds") > aim]  # fmt: skip
        peaks = {form: self.written[form].peak for form in ("csv", "xlsx")}
        return found + [f"{form} {peak / 1e6:.0f} MB" for form, peak in peaks.items() if peak > MEMORY_AIM]


@dataclass(frozen=True)
class Range:
    """What is exported: sold on `first` or later, booked by `as_of`."""

    first: date
    as_of: str

    def query(self, columns: list[str]) -> str:
        """The export's own columns in the export's own order."""
        return QUERY.format(columns=", ".join(columns), first=self.first, as_of=self.as_of)


def measure(lines: int, *, fresh: bool) -> Found:
    """Write, compare, read back."""
    lines = min(lines, SHEET_ROWS - 1)
    orders = int(lines / LINES_OF_ORDER)
    with open_database(orders, fresh=fresh) as (shop, database), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with shop.owner() as connection:
            wanted = _range(connection, lines)
            export(shop, database, folder, "csv", wanted)  # what is read for the first time is read into memory
            query = wanted.query(_manifest(folder, "csv")["columns"])
            starts: list[Spent] = []
            copies: list[Spent] = []
            written: dict[str, list[tuple[Spent, Command]]] = {form: [] for form in FORMS}
            for turn in range(ROUNDS):
                _say(f"turn {turn + 1} of {ROUNDS}: CSV beside COPY")
                written["csv"].append(export(shop, database, folder, "csv", wanted))
                with spending(database) as spent:
                    copy(connection, query, folder / "copy.csv")
                copies.append(spent)
                _say(f"  COPY: {spent.seconds:.1f} s, {spent.cpu:.1f} s CPU")
                with spending(database) as spent:
                    done = run(shop, "export", "sales", "--help")
                starts.append(replace(spent, cpu=spent.cpu + done.cpu))
                _say(f"  start: {spent.seconds:.1f} s, {starts[-1].cpu:.1f} s CPU")
            for form in FORMS[1:]:
                _say(form.upper())
                written[form].append(export(shop, database, folder, form, wanted))
            _say("XlsxWriter")
            with spending(database) as rival:
                xlsxwriter(connection, query, folder / "rival.xlsx")
            _say(f"  XlsxWriter: {rival.seconds:.1f} s, {rival.cpu:.1f} s CPU")
            middle = {form: sorted(each, key=lambda one: one[0].seconds)[len(each) // 2]
                      for form, each in written.items()}  # fmt: skip
            found = Found(
                0, {form: one for form, (_, one) in middle.items()}, {form: one for form, (one, _) in middle.items()},
                _middle(starts), _middle(copies), rival,
            )  # fmt: skip
            _say("Reading everything back")
            found.lines = _check(connection, folder, wanted, found.wrong)
    return found


def _say(words: str) -> None:
    print(f"· {words}", flush=True)


def _middle(turns: list[Spent]) -> Spent:
    return sorted(turns, key=lambda one: one.seconds)[len(turns) // 2]


@contextmanager
def spending(database: int) -> Iterator[Spent]:
    """What is spent within, by ourselves and by the processes of the database, which does nothing else meanwhile."""
    found, before = Spent(), _cpu_of_all(database)
    begun, own = time.monotonic(), time.process_time()
    yield found
    found.seconds = time.monotonic() - begun
    found.cpu = time.process_time() - own + _cpu_of_all(database) - before


def _cpu_of_all(process: int) -> float:
    return sum(cpu_of(pid) for pid in descendants(process))


def export(shop: Shop, database: int, folder: Path, form: str, wanted: Range) -> tuple[Spent, Command]:
    """The command, as people run it."""
    out = folder / f"sales.{form}"
    options = ["--from", str(wanted.first), "--to", LAST, "--as-of", wanted.as_of, "--format", form, "--out", str(out)]
    with spending(database) as spent:
        done = run(shop, "export", "sales", *options)
    _say(f"  {form}: {spent.seconds:.1f} s, {spent.cpu + done.cpu:.1f} s CPU, {done.peak / 1e6:.0f} MB")
    return replace(spent, cpu=spent.cpu + done.cpu), replace(done, size=out.stat().st_size)


def _range(connection: psycopg.Connection[Any], lines: int) -> Range:
    """From which day on at most so many lines were sold, as of now."""
    [(now,)] = connection.execute("SELECT clock_timestamp()").fetchall()
    days = connection.execute(SINCE).fetchall()
    first = next(day for day, since in days if since <= lines)
    return Range(first, str(now.astimezone(UTC).isoformat()))


def copy(connection: psycopg.Connection[Any], query: str, out: Path) -> None:
    """`COPY (query) TO STDOUT` into a file."""
    with out.open("wb") as file, connection.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT csv)".encode()) as rows:
        for block in rows:
            file.write(block)


def xlsxwriter(connection: psycopg.Connection[Any], query: str, out: Path) -> None:
    """The same rows by XlsxWriter with constant memory, typed alike."""
    import xlsxwriter as rival

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


def _manifest(folder: Path, form: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"sales.{form}.manifest.json").read_text())
    return found


def _check(connection: psycopg.Connection[Any], folder: Path, wanted: Range, wrong: list[str]) -> int:
    """Compare all files with SQL; returns the lines. What differs is told in `wrong`."""
    told = _manifest(folder, "csv")
    sums = ", ".join(f"sum({name})::bigint" for name in told["sums"])
    sold = SOLD.format(first=wanted.first, as_of=wanted.as_of)
    query = f"SELECT count(*), {sums} FROM reporting.sales WHERE {sold}"
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    for form in FORMS:
        _say(f"  {form}")
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
    # 150000.0 is how a whole number stands in a cell, and how it is read; a part of a rupiah would change the sum.
    amounts: list[Any] = [row[place] for row in rows]
    if any(amount != int(amount) for amount in amounts):
        raise ValueError("an amount in XLSX is no whole number")
    amounts = [int(amount) for amount in amounts]
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
