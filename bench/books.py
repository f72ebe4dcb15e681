"""The books with a facility that has 100,000 lines, beside the same work with few lines, in one run.

`python -m bench books`. What stands beside each other is the same page or file of the same facility, once over a
long time and once over a few days, so that the ratio says what the lines cost and not what the page costs.
"""

from __future__ import annotations

import datetime
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
import urllib3
from flask import Flask

from bench.load import BROWSER, drive
from bench.stage import open_shop
from bench.steps import app_of
from tests.drills.running_shop import PROJECT, Shop
from tests.staff import enter

#: A facility whose sales are copied until it has more than 100,000 lines.
FACILITY, ORDERS = "CKR", 64_000
#: Lines of the short statement, about.
FEW = 500
FINANCE = "finance@demo.test"
FORMS = ("csv", "xlsx", "pdf")
GROUPINGS = ("facility", "region", "category", "workshop", "channel", "month")
#: Answers of each page; the middle one counts.
ANSWERS = 9

LINES = """
    SELECT count(*) FROM (
        SELECT DISTINCT p.entry_id, p.order_line_id FROM postings p
          JOIN accounts a ON a.id = p.account_id JOIN facilities f ON f.id = a.facility_id
         WHERE f.code = %s AND p.effective_date BETWEEN %s AND %s) lines"""


@dataclass(frozen=True)
class Stretch:
    """Some days of the facility's books."""

    first: datetime.date
    last: datetime.date
    lines: int

    @property
    def name(self) -> str:
        return f"{self.first}--{self.last}"


@dataclass(frozen=True)
class Screen:
    """A page: until its answer is there, in milliseconds, and how many queries it asks."""

    milliseconds: float
    queries: int


@dataclass(frozen=True)
class Command:
    """A command: seconds, and the memory of its largest process at its peak, in bytes."""

    seconds: float
    peak: int
    #: Bytes of the file that it wrote.
    size: int = 0
    #: Processor time that it used itself, the database's apart.
    cpu: float = 0.0


@contextmanager
def open_books(*, fresh: bool) -> Iterator[Shop]:
    """The shop with one facility that has sold for years."""
    with open_shop(orders=ORDERS, facility=FACILITY, fresh=fresh) as shop:
        yield shop


def stretches(shop: Shop) -> tuple[Stretch, Stretch]:
    """All days up to today, and some days in their middle that hold few lines."""
    with shop.owner() as connection:

        def lines(first: datetime.date, last: datetime.date) -> Stretch:
            found = connection.execute(LINES, (FACILITY, first, last)).fetchone()
            assert found is not None
            return Stretch(first, last, found[0])

        row = connection.execute(
            "SELECT min(effective_date), max(effective_date) FROM journal_entries"
        ).fetchone()
        assert row is not None
        everything = lines(row[0], row[1])
        middle = everything.first + (everything.last - everything.first) / 3
        few = lines(middle, middle)
        while few.lines < FEW:
            few = lines(few.first, few.last + datetime.timedelta(days=1))
        return everything, few


def screens(shop: Shop, paths: dict[str, str]) -> dict[str, Screen]:
    """Each page by its name, asked for by one person alone after a first look."""
    headers = {**BROWSER, "Cookie": signed_in(shop)}
    counted = _queries(app_of(shop), paths)
    found = {}
    for name, path in paths.items():
        drive(shop.address, [path], requests=2, threads=1, headers=headers)
        load = drive(shop.address, [path], requests=ANSWERS, threads=1, headers=headers)
        if load.bad:
            raise RuntimeError(f"{load.bad} bad answers to {path}")
        found[name] = Screen(load.median, counted[name])
    return found


def statement_paths(many: Stretch, few: Stretch) -> dict[str, str]:
    """Statements and reports, over many lines and over few."""
    found = {}
    for label, stretch in (("many", many), ("few", few)):
        found[f"statement, {label}"] = f"/finance/statements/{FACILITY}/{stretch.name}"
        for by in GROUPINGS:
            found[f"by {by}, {label}"] = (
                f"/finance/reports/sales?by={by}&from={stretch.first}&to={stretch.last}"
            )
    for name in ("balances", "ageing"):
        path = "reports/balances" if name == "balances" else "ageing"
        found[name] = f"/finance/{path}?on={many.last}"
    return found


def signed_in(shop: Shop) -> str:
    """The cookies of finance, signed in as a browser would."""
    page = urllib3.request("GET", f"{shop.address}/login")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.data.decode())
    assert token, "the sign-in page carries no token"
    answer = urllib3.request(
        "POST",
        f"{shop.address}/login",
        body=urlencode({"csrf_token": token[1], "email": FINANCE, "password": "demo"}),
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": _cookies(page),
            "Origin": shop.address,
        },
        redirect=False,
    )
    assert answer.status in (302, 303), answer.status
    return _cookies(answer)


def _cookies(answer: Any) -> str:
    return "; ".join(line.split(";", 1)[0] for line in answer.headers.getlist("Set-Cookie"))


def _queries(app: Flask, paths: dict[str, str]) -> dict[str, int]:
    """Queries of each page, counted where all of them pass: at the driver."""
    client, seen = app.test_client(), 0
    execute = psycopg.Cursor.execute

    def counting(*arguments: Any, **more: Any) -> Any:
        nonlocal seen
        seen += 1
        return execute(*arguments, **more)

    assert enter(client, FINANCE).status_code in (302, 303)
    found = {}
    psycopg.Cursor.execute = counting  # type: ignore[method-assign]
    try:
        for name, path in paths.items():
            client.get(path)
            before = seen
            assert client.get(path).status_code == 200
            found[name] = seen - before
    finally:
        psycopg.Cursor.execute = execute  # type: ignore[method-assign]
    return found


def files(shop: Shop, stretch: Stretch) -> dict[str, Command]:
    """The statement as files, each written by a process of its own."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for form in FORMS:
            out = Path(folder) / f"statement.{form}"
            period = ["--facility", FACILITY, "--period", stretch.name]
            done = run(shop, "export", "statement", *period, "--format", form, "--out", str(out))
            found[form] = Command(done.seconds, done.peak, out.stat().st_size)
    return found


def run(shop: Shop, *arguments: str) -> Command:
    """One of the shop's commands; with its largest process, its own ones included."""
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
        cwd=PROJECT,
        env=shop.environment(),
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"flask {' '.join(arguments)} ended with {process.returncode}")
    cpu = usage.ru_utime + usage.ru_stime
    return Command(time.monotonic() - begun, usage.ru_maxrss * 1024, cpu=cpu)


@dataclass(frozen=True)
class Closing:
    """Closing the first month that is open, and proving the largest that is closed; in seconds."""

    close: float
    prove: float
    entries: int


def closing(shop: Shop) -> Closing:
    """Both undone: the shop stays as it is."""
    from sqlalchemy import func, select

    from storefront.books.models import Period, PeriodCheck
    from storefront.books.span import month
    from storefront.closing.checklist import content
    from storefront.closing.close import close
    from storefront.extensions import db
    from storefront.people.models import Person
    from storefront.verify.month import prove

    with app_of(shop).app_context():
        largest = db.session.scalars(select(Period).order_by(Period.entries.desc()).limit(1)).one()
        proved = _seconds(lambda: prove(largest.month))
        entries = largest.entries
        last = db.session.scalar(select(func.max(Period.month)))
        assert last is not None
        following = month(last).after
        assert following is not None
        person = db.session.scalars(select(Person.id).where(Person.email == FINANCE)).one()
        now = db.session.execute(select(func.now())).scalar_one()
        found = content(following.first)
        db.session.add(
            PeriodCheck(month=following.first, asked_by=person, finished_at=now, content=found, broken=[])
        )
        db.session.flush()
        closed = _seconds(lambda: close(following.first, person, are_named=True))
        db.session.rollback()
        db.engine.dispose()
    return Closing(closed, proved, entries)


def _seconds(action: Callable[[], Any]) -> float:
    begun = time.monotonic()
    action()
    return time.monotonic() - begun
