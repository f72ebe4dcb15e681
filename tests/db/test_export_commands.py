"""The commands `flask export statement`, `sales-by`, `balances` and the others, as people run them."""

from __future__ import annotations

import csv
import datetime
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select, text

from storefront import days
from storefront.books import distribute, settle
from storefront.books.disputes import record_dispute
from storefront.books.models import PremiumDistribution
from storefront.books.settle import Wish
from storefront.books.span import month as whole_month
from storefront.closing.close import close, reopen
from storefront.extensions import db
from storefront.ledger.models import Fund
from storefront.orders.mark_paid import record_payment
from storefront.orders.models import OrderLine
from storefront.orders.payment import open_payment
from storefront.payments.models import Payment
from storefront.refunds import refunds
from storefront.refunds.refund_outcome import refund_succeeded
from storefront.refunds.refund_parts import LineWish
from storefront.reports.reports import By
from storefront.verify.month import ask, check_month
from tests.factories import make_category, make_facility, make_order, make_paid_order, make_rule
from tests.later_books import WORDS, lived_books
from tests.money_out import Books, register_satker
from tests.taking import agreed

Run = Callable[..., Result]
THIS, LAST = whole_month(days.today()), whole_month(days.today()).before
assert LAST is not None
FIRST, TODAY = LAST.first.isoformat(), days.today().isoformat()
COMMANDS: dict[str, tuple[str, ...]] = {
    "statement": ("statement", "--facility", "PKL", "--period", THIS.name),
    "statement-before": ("statement", "--facility", "PKL", "--period", LAST.name),
    "statement-days": ("statement", "--facility", "NML", "--period", f"{FIRST}--{TODAY}"),
    **{f"by-{by}": ("sales-by", by.value, "--from", FIRST, "--to", TODAY) for by in By},
    "by-own": ("sales-by", "month", "--from", FIRST, "--to", TODAY, "--facility", "NML"),
    "balances": ("balances",),
    "balances-then": ("balances", "--on", LAST.last.isoformat(), "--facility", "PKL"),
    "ageing": ("ageing",),
    "ageing-then": ("ageing", "--on", LAST.last.isoformat()),
    "settlements": ("settlements",),
    "settlements-paid": ("settlements", "--state", "paid", "--facility", "PKL"),
    "deposits": ("deposits",),
    "deposits-reversed": ("deposits", "--state", "reversed"),
    "distributions": ("distributions",),
    "distributions-approved": ("distributions", "--state", "approved"),
}
#: Every command in every form that it has.
ALL = [
    (name, form)
    for name, command in COMMANDS.items()
    for form in ("csv", "xlsx", "jsonl", *(("pdf",) if command[0] == "statement" else ()))
]
#: Sales have tests of their own (test_export_sales.py); here they are asked for again, as all else.
COMMANDS["sales"] = ("sales", "--from", FIRST, "--to", TODAY)
AGAIN = [*ALL, ("sales", "csv"), ("sales", "xlsx"), ("sales", "jsonl")]


@pytest.fixture
def books(db_session: Any) -> Books:
    return lived_books()


@pytest.fixture
def run(app: Flask) -> Run:
    def run(*arguments: object) -> Result:
        db.session.rollback()
        return app.test_cli_runner().invoke(args=["export", *map(str, arguments)])

    return run


def written(run: Run, folder: Path, name: str, form: str, *more: str) -> tuple[bytes, dict[str, Any]]:
    """The file and the manifest beside it."""
    out = folder / f"{name}.{form}"
    result = run(*COMMANDS[name], "--format", form, "--out", out, *more)
    assert result.exit_code == 0, result.output
    return out.read_bytes(), json.loads((folder / f"{out.name}.manifest.json").read_text())


def as_written(value: object) -> str:
    """A workbook's cell as CSV writes it."""
    if isinstance(value, float):
        assert value.is_integer()
        return str(int(value))
    return "" if value is None else str(value).removesuffix(" 00:00:00")


def test_each_file_is_what_its_manifest_says(run: Run, books: Books, tmp_path: Path) -> None:
    for name, form in ALL:
        content, manifest = written(run, tmp_path, name, form)
        assert manifest["file"] == f"{name}.{form}"
        assert manifest["format"] == form
        assert manifest["sha256"] == hashlib.sha256(content).hexdigest()
        assert manifest["note"] == "DATA CONTOH – angka rekaan"
        assert manifest["filters"]
        assert datetime.datetime.fromisoformat(manifest["as_of"]).tzinfo
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{name}.{form}{end}" for name, form in ALL for end in ("", ".manifest.json")
    }


def test_the_forms_hold_the_same_rows(run: Run, books: Books, tmp_path: Path) -> None:
    moment = written(run, tmp_path, "balances", "csv")[1]["as_of"]
    for name in dict(ALL):
        forms = [form for of, form in ALL if of == name]
        found = {form: written(run, tmp_path, name, form, "--as-of", moment) for form in forms}
        manifest = found["csv"][1]
        for _content, other in found.values():
            same = ("row_count", "sums", "columns", "filters", "as_of")
            assert {key: other[key] for key in same} == {key: manifest[key] for key in same}
        content = found["csv"][0]
        assert content.startswith(b"\xef\xbb\xbf")
        assert content.count(b"\r\n") == content.count(b"\n") == manifest["row_count"] + 1
        rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines()))
        assert list(rows[0]) == manifest["columns"] if rows else manifest["row_count"] == 0
        assert manifest["sums"] == {key: sum(int(row[key]) for row in rows) for key in manifest["sums"]}
        lines = [json.loads(line) for line in found["jsonl"][0].splitlines()]
        as_text = [{k: "" if v is None else str(v) for k, v in line.items()} for line in lines]
        assert as_text == rows
        book = load_workbook(tmp_path / f"{name}.xlsx")
        assert book.sheetnames[-1] == "Keterangan"
        sheet = list(book[book.sheetnames[-2]].iter_rows(values_only=True))
        cells = [[as_written(value) for value in row] for row in sheet]
        assert cells[0] == manifest["columns"]
        assert [row for row in cells[1:] if any(row)] == [list(row.values()) for row in rows]


def test_figures_are_those_of_the_books(run: Run, books: Books, tmp_path: Path) -> None:
    """Against sums that are written out here, not those of the code."""
    owed = {
        (code, fund or "shipping"): int(amount)
        for code, fund, amount in db.session.execute(
            text(
                """SELECT f.code, u.code, -sum(p.amount) FROM postings p JOIN accounts a ON a.id = p.account_id
                     JOIN facilities f ON f.id = a.facility_id LEFT JOIN funds u ON u.id = a.fund_id GROUP BY 1, 2"""
            )
        )
    }
    for name, amount in (("balances", "balance"), ("ageing", "total")):
        rows = list(csv.DictReader(written(run, tmp_path, name, "csv")[0].decode("utf-8-sig").splitlines()))
        found = {(row["facility_code"], row["fund"]): int(row[amount]) for row in rows}
        assert {key: value for key, value in found.items() if value} == {k: v for k, v in owed.items() if v}
    _content, manifest = written(run, tmp_path, "statement", "csv")
    for fund in ("premium", "working_capital", "state_revenue", "shipping"):
        moved = manifest["sums"][fund]
        assert manifest["opening"].get(fund, 0) + moved == manifest["closing"].get(fund, 0)
        assert manifest["closing"].get(fund, 0) == owed["PKL", fund]
    paid = written(run, tmp_path, "settlements-paid", "csv")[1]
    told = db.session.execute(
        text("SELECT count(*), sum(amount) FROM reporting.settlements WHERE facility_code = 'PKL'")
    ).one()
    assert (paid["row_count"], paid["sums"]["amount"]) == tuple(told)


def test_the_same_moment_gives_the_same_bytes_for_ever(
    run: Run, books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = written(run, tmp_path, "balances", "csv")[1]["as_of"]
    now = [written(run, tmp_path, name, form, "--as-of", moment) for name, form in AGAIN]
    live_on(books)
    tomorrow = days.today() + datetime.timedelta(days=1)
    monkeypatch.setattr(days, "today", lambda: tomorrow)
    for (name, form), before in zip(AGAIN, now, strict=True):
        assert written(run, tmp_path, name, form, "--as-of", moment) == before, (name, form)
    # And without a moment they do follow: nothing above was the same because nothing had happened.
    assert written(run, tmp_path, "balances", "csv")[0] != now[AGAIN.index(("balances", "csv"))][0]


def live_on(books: Books) -> None:
    """All that may change a figure, a state, a column or a mark: a new fund, refunds, money out, a month anew."""
    shop, last = books.shop, LAST
    assert last is not None
    db.session.add(Fund(code="operating", name="Operasional", name_en="Operations", finance_name="Operasional",
                        finance_name_en="Operations", position=9))  # fmt: skip
    db.session.flush()
    make_rule({"premium": 4000, "operating": 6000}, facility=shop.pekalongan, valid_from=days.today())
    order = make_paid_order((shop.chair, 1))
    payment = db.session.scalars(select(Payment.id).where(Payment.order_id == order.id)).one()
    record_dispute(payment, "dp_later", 40_000, "lost")
    line = db.session.scalars(select(OrderLine.id).where(OrderLine.order_id == order.id)).one()
    back = refunds.propose(order.id, [LineWish(line, amount=1_000)], reason="goodwill", person_id=books.first)
    refund_succeeded(back.id)
    (wish,) = settle.propose([Wish(books.ambon, books.funds["premium"], 1_000)], person_id=books.first)
    settle.reject(wish.id, books.second)
    for record in db.session.scalars(select(PremiumDistribution)).all():
        distribute.reject(record.id, books.second, WORDS)
    register_satker(books, shop.ambon, valid_from=days.today() + datetime.timedelta(days=1))
    reopen(last.first, books.second, WORDS)
    db.session.commit()
    # A payment of last month, told now that the month is open again.
    late = open_payment(make_order((shop.tempeh, 1)))
    told = datetime.datetime.combine(last.last, datetime.time(5), datetime.UTC)
    record_payment(late.id, reference=late.id, amount=late.amount, happened_at=told)
    agreed()  # the check reads what is committed
    check = ask(last.first, books.first)
    db.session.flush()
    check_month(check.id)
    db.session.execute(text("UPDATE period_checks SET broken = '[]'"))
    db.session.expire_all()
    close(last.first, books.second, are_named=True)
    rename_everything()
    db.session.commit()


def rename_everything() -> None:
    """Facilities, workshops and categories under other names, in other places, twice; products in other categories."""
    for place in "AB":
        for change in (
            f"UPDATE facilities SET name = '{place} ' || code, regional_office = 'Kanwil {place}', city = '{place}'",
            f"UPDATE workshops SET name = '{place} ' || id",
            f"UPDATE categories SET slug = lower('{place}-') || id, name = '{place} ' || id, name_en = name",
        ):
            db.session.execute(text(change))
    other = make_category("lain", "Lain")
    db.session.execute(text("UPDATE products SET category_id = :other"), {"other": other.id})


DAYS = ("--from", FIRST, "--to", TODAY)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        *(((*command, "--facility", "ZZZ"), "ZZZ") for command in (
            ("statement", "--period", LAST.name), ("sales-by", "month", *DAYS), ("balances",), ("ageing",),
            ("settlements",), ("deposits",), ("distributions",),
        )),
        *(((*command, "--as-of", moment), message) for command in (
            ("statement", "--facility", "PKL", "--period", LAST.name), ("sales-by", "month", *DAYS), ("balances",),
            ("ageing",), ("settlements",), ("deposits",), ("distributions",),
        ) for moment, message in (
            ("kapan", "tidak dikenali"), ("2026-10-31", "tidak dikenali"), ("2999-01-01T00:00:00Z", "belum tiba"),
        )),
        *((("statement", "--facility", "PKL", "--period", period), "Periode tidak dikenali") for period in (
            "kemarin", "2026-13", "2026-10-05--2026-10-01", "2026-10-01--kapan", "0001-01", "9999-12", "",
        )),
        (("statement", "--facility", "PKL"), "--period"),
        (("sales-by", "month", "--from", "2026-10-31", "--to", "2026-10-01"), "Periode tidak dikenali"),
        (("sales-by", "month", "--from", "besok", "--to", "2026-10-01"), "besok"),
        (("sales-by", "month", "--from", "2026-02-30", "--to", "2026-10-01"), "2026-02-30"),
        (("sales-by", "person", *DAYS), "person"),
        (("balances", "--on", "besok"), "besok"),
        (("ageing", "--on", "2026-02-30"), "2026-02-30"),
        (("ageing", "--on", "0001-01-01"), "Periode tidak dikenali"),
        (("balances", "--on", "9999-12-31"), "Periode tidak dikenali"),
        (("settlements", "--state", "gone"), "gone"),
        (("deposits", "--state", "entered"), "entered"),
        (("distributions", "--state", "paid"), "paid"),
        (("balances", "--format", "pdf"), "pdf"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_a_sentence_and_leaves_no_file(
    run: Run, db_session: Any, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    make_facility("PKL")
    db_session.commit()
    result = run(*arguments, "--out", tmp_path / "out.csv")
    assert result.exit_code != 0
    assert message in result.output
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["statement", "by-month", "balances", "ageing", "settlements"])
def test_a_folder_that_is_missing_is_named(run: Run, db_session: Any, tmp_path: Path, name: str) -> None:
    assert "tidak ada" in run(*COMMANDS[name], "--out", tmp_path / "nowhere" / "out.csv").output
    assert "adalah folder" in run(*COMMANDS[name], "--out", tmp_path).output


def test_a_shop_without_sales_exports_headers(run: Run, app: Flask, db_session: Any, tmp_path: Path) -> None:
    make_facility("PKL"), make_facility("NML")
    db_session.commit()
    for name, form in ALL:
        content, manifest = written(run, tmp_path, name, form)
        assert manifest["row_count"] == 0
        if form == "csv":
            assert content.decode("utf-8-sig") == ",".join(manifest["columns"]) + "\r\n"


def test_without_a_database_the_command_says_so(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    away = make_app(DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")
    for command in (
        ("balances",),
        ("settlements",),
        ("statement", "--facility", "PKL", "--period", "2026-10"),
    ):
        result = away.test_cli_runner().invoke(args=["export", *command, "--out", str(tmp_path / "out.csv")])
        assert result.exit_code == 2
        assert "cannot be reached" in result.output
    assert list(tmp_path.iterdir()) == []
