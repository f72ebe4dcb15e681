"""Finance's pages: every figure is the sum of the lines behind it, and nobody sees more than is theirs."""

from __future__ import annotations

import csv
import datetime
import html
import io
import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session as DbSession

from storefront.audit.models import AuditEvent
from storefront.days import today
from storefront.exports import lines
from storefront.extensions import db
from storefront.money import format_number, format_rupiah
from storefront.orders.mark_paid import record_payment
from storefront.orders.payment import open_payment
from storefront.payments.models import PaymentEvent
from storefront.people.models import Membership
from tests.factories import make_order, make_paid_order, make_rule, make_variant
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in

JAKARTA = datetime.timezone(datetime.timedelta(hours=7))
PAGES = (
    "/finance/", "/finance/year", "/finance/sales", "/finance/export", "/finance/owed", "/finance/payments",
    "/finance/accounts/clearing:sandbox", "/finance/accounts/owed:PKL:premium",
)  # fmt: skip
OCTOBER = "from=2026-10-01&to=2026-10-31"


def at(*when: int) -> datetime.datetime:
    return datetime.datetime(*when, tzinfo=JAKARTA)


@pytest.fixture
def shop(db_session: DbSession) -> Shop:
    """Sales of two facilities around the turn of a month, one of them divided by profit."""
    shop = open_shop()
    make_rule(basis="profit", facility=shop.ambon, valid_from=datetime.date(2020, 1, 1))
    make_paid_order((shop.batik, 1), (shop.honey, 1), paid_at=at(2026, 9, 30, 23, 59))
    make_paid_order((shop.batik, 2), paid_at=at(2026, 10, 1, 0, 1))
    make_paid_order((shop.chair, 1), (shop.honey, 1), paid_at=at(2026, 10, 31, 23, 59))
    make_paid_order((shop.chair, 1), paid_at=at(2025, 12, 31, 12, 0))
    make_order((shop.batik, 1))
    db_session.commit()
    return shop


@pytest.fixture
def finance(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("finance"))


@pytest.fixture
def finance_of_ambon(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("finance", facilities=(shop.ambon,)))


def test_who_reads_everything_and_works_for_one_facility_writes_no_books_of_all(
    app: Flask, shop: Shop
) -> None:
    person = make_account("auditor")
    db.session.add(Membership(person_id=person.id, role="finance", facility_id=shop.ambon.id))
    client = sign_in(app.test_client(), person)
    month = f"{(today().replace(day=1) - datetime.timedelta(days=1)):%Y-%m}"
    for page in ("payouts", "corrections", "periods", f"periods/{month}"):
        assert client.get(f"/finance/{page}").status_code == 200, page
    for step in ("payouts", "corrections/new", f"periods/{month}/check", f"periods/{month}/close"):
        assert post(client, f"/finance/{step}").status_code == 404, step


@pytest.mark.parametrize(
    ("role", "enters"),
    [("finance", True), ("administrator", True), ("auditor", True), ("coordinator", False), ("head", False),
     ("curator", False)],
)  # fmt: skip
def test_each_page_opens_for_those_who_may(app: Flask, shop: Shop, role: str, enters: bool) -> None:
    own = (shop.pekalongan,) if not enters else ()
    client = sign_in(app.test_client(), make_account(role, facilities=own))
    for path in PAGES:
        assert client.get(path).status_code == (200 if enters else 404), path
        assert client.get("/en" + path).status_code == (200 if enters else 404), path


def test_who_is_not_signed_in_is_sent_to_sign_in(client: FlaskClient, shop: Shop) -> None:
    for path in PAGES:
        answer = client.get(path)
        assert answer.status_code == 302
        assert answer.location.startswith("/login")


def waiting(page: str) -> dict[str, tuple[str, str]]:
    """What waits on the first page: its number and its link by what it is."""
    found = re.findall(r'<a class="task[^"]*" href="([^"]+)"><b>(\d+)</b><span>([^<]+?)(?: · )?<', page)
    return {html.unescape(label).strip(): (count, html.unescape(url)) for url, count, label in found}


def figures(page: str) -> list[tuple[str, str]]:
    """Address and text of every figure in a table's body or foot that is a link."""
    cells = re.findall(r'<td class="r"[^>]*><a href="([^"]+)">(?:<b>)?([^<]+)', page)
    return [(html.unescape(address), text.strip()) for address, text in cells]


def test_every_figure_of_the_year_is_the_sum_of_its_lines(finance: FlaskClient) -> None:
    found = figures(finance.get("/finance/year?year=2026").text)
    assert len(found) == 9  # 2 facilities × 2 months, 2 sums of rows, 2 of columns, 1 of all
    for address, shown in found:
        page = finance.get(address).text
        foot = page[page.index("<tfoot>") :]
        assert f">{shown}<" in foot, (address, shown)


def test_the_year_is_divided_as_the_books_say(finance: FlaskClient, db_session: DbSession) -> None:
    page = finance.get("/finance/year?year=2026").text
    sums = db_session.execute(
        text(
            "SELECT sum(net_amount)::bigint, sum(premium)::bigint, sum(working_capital)::bigint,"
            " sum(state_revenue)::bigint FROM reporting.sales WHERE accounting_date(paid_at) >= '2026-01-01'"
        )
    ).one()
    assert sums[0] == 905_000
    for amount in sums:
        assert format_rupiah(amount) in page
    assert format_rupiah(485_000) in finance.get("/finance/year?year=2025").text
    for odd in ("1900", "abc", "99999999999999999999", "-1"):
        assert finance.get(f"/finance/year?year={odd}").status_code == 200


def test_lines_are_those_of_the_days_in_jakarta(finance: FlaskClient) -> None:
    page = finance.get("/finance/sales?month=2026-10").text
    assert page.count("PKL-BATIK") == 1
    assert page.count("PKL-KURSI") == page.count("NML-MADU") == 1
    assert format_number(745_000) in page
    assert finance.get(f"/finance/sales?{OCTOBER}").text.count("<tr>") == page.count("<tr>")


@pytest.mark.parametrize("path", ["/finance/sales?month=2026-10", "/finance/accounts/owed:PKL:premium"])
def test_goods_are_named_in_the_language_of_the_page(finance: FlaskClient, path: str) -> None:
    indonesian, english = finance.get(path).text, finance.get("/en" + path).text
    assert "Kursi teras" in indonesian
    assert "Porch chair" not in indonesian
    assert "Porch chair" in english
    assert "Kursi teras" not in english


def test_lines_turn_page_by_page_while_the_sums_stand_still(
    finance: FlaskClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "PAGE", 2)
    many = make_variant(db.session.merge(shop.batik).product, stock=30, sku="BANYAK", price=1_000)
    for minute in range(3):
        make_paid_order((many, 1), (shop.chair, 1), paid_at=at(2026, 10, 15, 8, minute))
    db.session.commit()
    address, seen, pages = "/finance/sales?month=2026-10", [], []
    while address:
        page = finance.get(address).text
        pages.append(page)
        seen += re.findall(r'<small class="muted code">([A-Z-]+)</small></span></th>', page)
        assert format_number(745_000 + 3 * 486_000) in page[page.index("<tfoot>") :]
        link = re.search(r'href="([^"]+)" rel="next"', page)
        address = html.unescape(link[1]) if link else ""
    assert len(seen) == 9
    assert seen.count("BANYAK") == 3
    back = re.search(r'href="([^"]+)" rel="prev"', pages[2])
    assert back is not None
    rows = re.compile(r"<tbody>.*</tbody>", re.DOTALL)
    assert rows.search(finance.get(html.unescape(back[1])).text)[0] == rows.search(pages[1])[0]  # type: ignore[index]


def test_odd_keys_of_pages_mean_the_first(finance: FlaskClient) -> None:
    for odd in (
        "x",
        "2026_1",
        "2026-10-01T00:00:00.000000Z_x",
        "9999-99-99T00:00:00Z_1",
        "'; DROP TABLE orders",
    ):
        assert (
            "PKL-KURSI" in finance.get("/finance/sales", query_string={"month": "2026-10", "older": odd}).text
        )


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("from=2026-10-31&to=2026-10-01", "lebih awal"),
        ("from=kemarin&to=2026-10-01", "Tulis tanggalnya"),
        ("from=2026-10-01&to=2026-10-31&facility=ZZZ", "tidak ada"),
    ],
)
@pytest.mark.parametrize("path", ["/finance/sales", "/finance/export"])
def test_what_is_wrong_stands_beside_its_field(
    finance: FlaskClient, path: str, query: str, message: str
) -> None:
    answer = finance.get(f"{path}?{query}")
    assert answer.status_code == 422
    assert message in answer.text
    assert "aria-invalid" in answer.text
    assert finance.get(f"/finance/export?{query}&format=csv").status_code == 422


def test_what_is_owed_is_what_the_books_hold(finance: FlaskClient, db_session: DbSession) -> None:
    page = finance.get("/finance/owed").text
    rows = db_session.execute(
        text(
            "SELECT account_code, -sum(amount)::bigint AS amount FROM reporting.ledger_postings"
            " WHERE facility_code IS NOT NULL GROUP BY account_code"
        )
    ).all()
    found = {address.rpartition("/")[2]: shown for address, shown in _owed(page)}
    assert found == {code: format_rupiah(amount) for code, amount in rows}
    assert format_rupiah(sum(amount for _, amount in rows)) in page[page.index("<tfoot>") :]
    for code, amount in rows:
        account = finance.get(f"/finance/accounts/{code}").text
        assert format_rupiah(-amount) in account[account.index("<tfoot>") :]


def _owed(page: str) -> list[tuple[str, str]]:
    return [(a, t) for a, t in re.findall(r'<a href="([^"]+/accounts/[^"]+)">([^<]+)</a>', page)]


def test_finance_of_one_facility_sees_that_one(finance_of_ambon: FlaskClient) -> None:
    client = finance_of_ambon
    for path in (
        "/finance/year?year=2026", "/finance/sales?month=2026-10", "/finance/owed", f"/finance/export?{OCTOBER}",
    ):  # fmt: skip
        page = client.get(path).text
        assert "Namlea" in page
        assert "Pekalongan" not in page
        assert "PKL" not in page
        assert format_number(745_000) not in page
    assert client.get("/finance/payments").status_code == 404
    assert client.get("/finance/accounts/owed:PKL:premium").status_code == 404
    assert client.get("/finance/accounts/clearing:sandbox").status_code == 404
    assert client.get("/finance/accounts/owed:NML:premium").status_code == 200
    assert client.get(f"/finance/export?{OCTOBER}&facility=PKL&format=csv").status_code == 422
    rows = list(
        csv.DictReader(io.StringIO(client.get(f"/finance/export?{OCTOBER}&format=csv").text.lstrip("\ufeff")))
    )
    assert {row["facility_code"] for row in rows} == {"NML"}
    manifest = client.get(f"/finance/export?{OCTOBER}&format=csv&part=manifest").json
    assert manifest["filters"] == {"from": "2026-10-01", "to": "2026-10-31", "facility": "NML"}


def links(page: str) -> dict[tuple[str, str], str]:
    """The download addresses of the export page by (format, part)."""
    found = [
        html.unescape(address) for address in re.findall(r'href="(/finance/export\?[^"]*format=[^"]+)"', page)
    ]
    return {(_part(a, "format"), _part(a, "part")): a for a in found}


def _part(address: str, name: str) -> str:
    found = re.search(rf"[?&]{name}=([a-z-]+)", address)
    assert found is not None
    return found[1]


def test_the_page_and_the_command_give_the_same_bytes(
    finance: FlaskClient, app: Flask, tmp_path: Any
) -> None:
    page = finance.get(f"/finance/export?{OCTOBER}").text
    downloads = links(page)
    assert len(downloads) == 15
    as_of = re.search(r"as_of=([^&]+)", downloads["csv", "file"])
    assert as_of is not None
    db.session.rollback()
    for form in ("csv", "xlsx", "jsonl"):
        answer = finance.get(downloads[form, "file"])
        name = f"penjualan-2026-10-01-2026-10-31.{form}"
        assert answer.status_code == 200
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        assert answer.headers["Cache-Control"] == "no-store"
        out = tmp_path / name
        moment = as_of[1].replace("%3A", ":")
        command = ["--from", "2026-10-01", "--to", "2026-10-31", "--as-of", moment, "--format", form]
        result = app.test_cli_runner().invoke(args=["export", "sales", *command, "--out", str(out)])
        assert result.exit_code == 0, result.output
        assert answer.data == out.read_bytes()
        manifest = (tmp_path / f"{name}.manifest.json").read_bytes()
        assert finance.get(downloads[form, "manifest"]).data == manifest
        archive = zipfile.ZipFile(io.BytesIO(finance.get(downloads[form, "zip"]).data))
        assert archive.read(name) == answer.data
        assert archive.read(f"{name}.manifest.json") == manifest
        assert json.loads(manifest)["sums"]["net_amount"] == 745_000
    assert (
        openpyxl.load_workbook(tmp_path / "penjualan-2026-10-01-2026-10-31.xlsx").worksheets[0].max_row == 4
    )


def test_sums_beside_the_download_are_the_files(finance: FlaskClient) -> None:
    page = finance.get(f"/finance/export?{OCTOBER}&facility=PKL").text
    rows = list(csv.DictReader(io.StringIO(finance.get(links(page)["csv", "file"]).text.lstrip("\ufeff"))))
    assert "2 baris" in page
    assert len(rows) == 2
    for name in ("net_amount", "premium", "working_capital", "state_revenue"):
        assert format_rupiah(sum(int(row[name]) for row in rows)) in page


def test_a_download_is_streamed_and_compressed_as_it_flows(finance: FlaskClient) -> None:
    answer = finance.get(f"/finance/export?{OCTOBER}&format=csv", headers={"Accept-Encoding": "gzip"})
    assert answer.is_streamed
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Content-Length" not in answer.headers
    assert finance.head(f"/finance/export?{OCTOBER}&format=csv").status_code == 200


@pytest.mark.parametrize(
    "query",
    ["format=exe", "format=csv&part=all", "format=csv&as_of=kapan", "format=csv&as_of=2999-01-01T00:00:00Z"],
)
def test_odd_wishes_for_a_download_are_refused(finance: FlaskClient, query: str) -> None:
    answer = finance.get(f"/finance/export?{OCTOBER}&{query}")
    assert answer.status_code == 422
    assert "Content-Disposition" not in answer.headers


def test_what_an_auditor_looks_at_is_recorded(app: Flask, shop: Shop, finance: FlaskClient) -> None:
    auditor = make_account("auditor")
    client = sign_in(app.test_client(), auditor)
    client.get("/finance/sales?month=2026-10")
    client.get(f"/finance/export?{OCTOBER}&format=csv")
    finance.get("/finance/")
    finance.get(f"/finance/export?{OCTOBER}&format=xlsx&part=zip")
    recorded = db.session.scalars(
        select(AuditEvent)
        .where(AuditEvent.action.in_(["finance.viewed", "sales.exported"]))
        .order_by(AuditEvent.id)
    )
    events = [(event.person_id == auditor.id, event.action, event.details) for event in recorded]
    assert [(mine, action) for mine, action, _ in events] == [
        (True, "finance.viewed"), (True, "sales.exported"), (True, "finance.viewed"), (False, "sales.exported"),
    ]  # fmt: skip
    assert events[0][2] == {"path": "/finance/sales", "query": "month=2026-10"}
    assert events[3][2]["format"] == "xlsx"
    assert events[3][2]["facility"] is None


def test_payments_that_pay_nothing_and_failed_news_are_shown(finance: FlaskClient, shop: Shop) -> None:
    order = make_order((shop.chair, 1))
    first, second = open_payment(order), open_payment(order)
    record_payment(first.id, reference=first.id, amount=first.amount)
    record_payment(second.id, reference=second.id, amount=second.amount)
    db.session.add(PaymentEvent(gateway="sandbox", event_id="evt_1", type="payment.succeeded", body=b"{}"))
    db.session.flush()
    shown = {"last_error": "AmountDiffers: <b>oops</b>", "attempts": 4, "needs_person": True}
    db.session.execute(update(PaymentEvent).values(**shown))
    db.session.commit()
    page = finance.get("/finance/payments").text
    assert "Dibayar dua kali" in page
    assert order.number in page
    assert format_rupiah(495_000) in page
    assert "&lt;b&gt;oops" in page
    assert "Seimbang" in page
    assert waiting(finance.get("/finance/").text)["kabar penyedia pembayaran"] == ("1", "/finance/payments#kabar")


def test_what_goes_back_and_what_an_account_holds_are_paged_both_ways(
    finance: FlaskClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _turn in range(3):
        order = make_order((shop.chair, 1))
        for payment in (open_payment(order), open_payment(order)):
            record_payment(payment.id, reference=payment.id, amount=payment.amount)
    db.session.commit()
    monkeypatch.setattr("storefront.keyset.PAGE", 1)
    for path, row in (
        ("/finance/payments", r'href="/finance/refunds/(\d+)"'),
        ("/finance/accounts/clearing:sandbox?from=2026-01-01", r'<th scope="row" class="code code--long">([^<]+)'),
    ):
        seen, address = [], path
        while address and len(seen) < 20:
            page = finance.get(address).text
            seen.append(re.findall(row, page))
            address = turned(page, "next")
        assert len(seen) >= 3
        assert all(len(one) == 1 for one in seen)
        assert len({one[0] for one in seen}) == len(seen)
        back = turned(page, "prev")
        assert re.findall(row, finance.get(back).text) == seen[-2]
        assert ("from=2026-01-01" in back) == ("from" in path)
    for wrong in ("from=kemarin", "from=2026-02-01&to=2026-01-01"):
        assert finance.get(f"/finance/accounts/clearing:sandbox?{wrong}").status_code == 422
    assert "Perpanjang rentang" in finance.get("/finance/accounts/clearing:sandbox?to=2020-01-01").text


def turned(page: str, which: str) -> str:
    """Where the link to the `next` or `prev` page leads; '' where there is none."""
    found = re.search(rf'<a href="([^"]+)" rel="{which}"', page)
    return html.unescape(found[1]) if found else ""


def test_a_shop_without_sales_says_what_comes(app: Flask, db_session: DbSession) -> None:
    client = sign_in(app.test_client(), make_account("finance"))
    for path in ("/finance/", "/finance/sales", "/finance/export", "/finance/owed", "/finance/payments"):
        assert client.get(path).status_code == 200
    assert client.get("/finance/accounts/clearing:sandbox").status_code == 404
    assert "Belum ada penjualan" in client.get("/finance/year").text


def test_pages_cost_a_handful_of_queries_however_much_was_sold(
    finance: FlaskClient, shop: Shop, statements: Callable[[], list[str]]
) -> None:
    counts = {}
    for path in ("/finance/year?year=2026", "/finance/sales?month=2026-10", "/finance/owed", "/finance/payments"):
        statements()
        finance.get(path)
        counts[path] = len([s for s in statements() if s.lstrip().upper().startswith(("SELECT", "WITH"))])
    assert max(counts.values()) <= 9, counts
