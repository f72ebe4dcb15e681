"""Statements, reports and closing as finance and facilities see them: figures lead to lines, files say the same."""

from __future__ import annotations

import csv
import datetime
import io
import json
import re
import zipfile
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select, text
from sqlalchemy.orm import Session as DbSession

from storefront import days
from storefront.audit.models import AuditEvent
from storefront.books.models import Period
from tests.factories import make_category, make_paid_order
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in
from tests.taking import agreed

JAKARTA = datetime.timezone(datetime.timedelta(hours=7))
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def at(*when: int) -> datetime.datetime:
    return datetime.datetime(*when, 12, tzinfo=JAKARTA)


@pytest.fixture
def shop(db_session: DbSession) -> Shop:
    shop = open_shop()
    make_paid_order((shop.batik, 1), (shop.honey, 1), paid_at=at(2026, 9, 30))
    make_paid_order((shop.batik, 2), (shop.chair, 1), paid_at=at(2026, 10, 1))
    make_paid_order((shop.honey, 1), paid_at=at(2026, 10, 31))
    db_session.commit()
    return shop


@pytest.fixture
def finance(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("finance"))


@pytest.fixture
def head(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("head", facilities=(shop.pekalongan,)))


def amount_links(page: str) -> list[tuple[str, int]]:
    """Every figure of a page that is a link to lines: its address and its number."""
    found = re.findall(r'<a href="([^"]*/lines\?[^"]*)">(?:<b>)?([\d.−]+)(?:</b>)?</a>', page)
    return [
        (href.replace("&amp;", "&"), int(number.replace(".", "").replace("−", "-"))) for href, number in found
    ]


def footer_total(page: str) -> int:
    """The last figure of the last table's footer: the sum of the whole selection."""
    foot = page[page.rindex("<tfoot>") : page.rindex("</tfoot>")]
    return int(re.findall(r">([\d.−]+)<", foot)[-1].replace(".", "").replace("−", "-"))


def test_a_month_and_a_facility_lead_to_a_statement(finance: FlaskClient) -> None:
    assert "Lapas Kelas IIA Pekalongan" in finance.get("/finance/statements?month=2026-10").text
    answer = finance.get("/finance/statements?month=2026-10&facility=PKL")
    assert answer.headers["Location"] == "/finance/statements/PKL/2026-10"
    page = finance.get("/finance/statements/PKL/2026-10").text
    assert "Oktober 2026" in page
    assert "Saldo awal" in page
    assert "Kursi teras" in page
    assert "Madu hutan" not in page


@pytest.mark.parametrize("face", ["finance", "seller"])
def test_every_figure_of_a_statement_leads_to_lines_that_sum_to_it(
    finance: FlaskClient, head: FlaskClient, face: str
) -> None:
    client = finance if face == "finance" else head
    page = client.get(
        "/finance/statements/PKL/2026-10" if face == "finance" else "/seller/PKL/statements/2026-10"
    ).text
    links = amount_links(page.partition('class="plots"')[0])
    assert len(links) == 15  # opening, sales and closing: four columns and the total each
    for href, amount in links:
        assert footer_total(client.get(href).text) == amount, href


def test_every_figure_of_a_report_leads_to_lines_that_sum_to_it(finance: FlaskClient) -> None:
    for by in ("facility", "region", "category", "workshop", "channel", "month"):
        page = finance.get(f"/finance/reports/sales?by={by}&from=2026-09-01&to=2026-10-31").text
        links = amount_links(page)
        assert links, by
        assert sum(amount for _href, amount in links) == 905_000, by
        for href, amount in links:
            assert footer_total(finance.get(href).text) == amount, href


def test_sales_stay_in_the_region_and_category_they_were_made_in(finance: FlaskClient, db_session: DbSession) -> None:
    def told(by: str) -> list[tuple[str, int]]:
        return amount_links(finance.get(f"/finance/reports/sales?by={by}&from=2026-09-01&to=2026-10-31").text)

    before = {by: told(by) for by in ("region", "category")}
    other = make_category("lain", "Lain")
    db_session.execute(text("UPDATE facilities SET regional_office = 'Kanwil Lain'"))
    db_session.execute(text("UPDATE products SET category_id = :other"), {"other": other.id})
    db_session.commit()
    for by, links in before.items():
        assert told(by) == links
        for href, amount in links:
            assert footer_total(finance.get(href).text) == amount, href
    # A balance is of the facility, which is another region's now.
    assert "Kanwil Lain" in finance.get("/finance/reports/balances?on=2026-10-31").text


def test_balances_lead_to_their_lines(finance: FlaskClient) -> None:
    page = finance.get("/finance/reports/balances?on=2026-10-31").text
    links = amount_links(page)
    assert len(links) == 8
    for href, amount in links:
        assert footer_total(finance.get(href).text) == amount, href


def test_ages_lead_to_what_is_open(finance: FlaskClient) -> None:
    page = finance.get("/finance/ageing?on=2026-11-15").text
    cells = re.findall(r'<a href="(/finance/ageing/PKL/premium\?[^"]*age=\d[^"]*)">([\d.]+)</a>', page)
    assert [number for _href, number in cells] == ["392.500"]
    layers = finance.get(cells[0][0].replace("&amp;", "&")).text
    assert "payment:" in layers
    assert "Rp\u00a0342.500" in layers
    assert "Rp\u00a050.000" in layers
    assert finance.get("/finance/ageing/PKL/tidak-ada").status_code == 404


def test_the_files_of_a_statement_say_what_the_page_says(finance: FlaskClient, db_session: DbSession) -> None:
    rows = list(
        csv.DictReader(
            io.StringIO(finance.get("/finance/statements/PKL/2026-10.csv").text.removeprefix("\ufeff"))
        )
    )
    assert [row["sku"] for row in rows] == ["", "PKL-BATIK", "PKL-KURSI"]
    assert sum(int(row["total"]) for row in rows) == 695_000
    manifest = json.loads(finance.get("/finance/statements/PKL/2026-10.csv?part=manifest").text)
    assert manifest["row_count"] == 3
    assert manifest["sums"]["premium"] == 342_500
    assert manifest["opening"]["premium"] == 50_000
    assert manifest["closing"]["premium"] == 392_500
    assert manifest["note"].startswith("DATA CONTOH")
    answer = finance.get("/finance/statements/PKL/2026-10.xlsx")
    assert answer.mimetype == XLSX
    book = load_workbook(io.BytesIO(answer.data))
    assert book.sheetnames == ["Laporan", "Baris", "Keterangan"]
    figures = {row[0]: row for row in book["Laporan"].iter_rows(values_only=True)}
    assert figures["Saldo awal"][1] == 50_000
    assert figures["Saldo akhir"][-1] == 110_000 + 695_000
    archive = zipfile.ZipFile(io.BytesIO(finance.get("/finance/statements/PKL/2026-10.csv?part=zip").data))
    assert len(archive.namelist()) == 2
    exported = db_session.scalars(select(AuditEvent).where(AuditEvent.action == "statement.exported")).all()
    assert len(exported) == 4


def test_a_statement_of_the_same_moment_has_the_same_bytes(
    finance: FlaskClient, shop: Shop, db_session: DbSession
) -> None:
    moment = json.loads(finance.get("/finance/statements/PKL/2026-10.csv?part=manifest").text)["as_of"]
    before = {
        form: finance.get(f"/finance/statements/PKL/2026-10.{form}?as_of={moment}").data
        for form in ("csv", "xlsx", "jsonl", "pdf")
    }
    make_paid_order((shop.chair, 1))
    db_session.execute(text("SELECT 1"))
    db_session.commit()
    for form, data in before.items():
        assert finance.get(f"/finance/statements/PKL/2026-10.{form}?as_of={moment}").data == data, form


def test_the_paper_is_a_pdf_with_the_mark(finance: FlaskClient) -> None:
    answer = finance.get("/finance/statements/PKL/2026-10.pdf")
    assert answer.status_code == 200
    assert answer.data.startswith(b"%PDF-")
    assert 'filename="laporan-PKL-2026-10.pdf"' in answer.headers["Content-Disposition"]


@pytest.mark.parametrize(("prefix", "language"), [("", "id"), ("/en", "en")])
def test_the_paper_can_be_read_aloud(finance: FlaskClient, prefix: str, language: str) -> None:
    """Tagged, with its language and title, by the standard PDF/UA-1."""
    pdf = finance.get(f"{prefix}/finance/statements/PKL/2026-10.pdf").data
    assert b"/StructTreeRoot" in pdf
    assert re.search(rb"/MarkInfo\s*<<\s*/Marked true", pdf)
    assert re.search(rb"/Lang ?\(" + language.encode() + rb"\)", pdf)
    assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf
    assert re.search(rb"<dc:title>.*(Laporan|Statement).*</dc:title>", pdf, re.S)
    assert re.search(rb"/DisplayDocTitle true", pdf)


def test_what_people_wrote_is_never_typeset_as_source(
    finance: FlaskClient, shop: Shop, db_session: DbSession
) -> None:
    db_session.execute(text("UPDATE facilities SET name = '#panic(\"x\") $ ] \u202e <b>' WHERE code = 'PKL'"))
    db_session.commit()
    assert finance.get("/finance/statements/PKL/2026-10.pdf").data.startswith(b"%PDF-")


@pytest.mark.parametrize(
    "path", ["reports/sales?by=workshop&from=2026-09-01&to=2026-10-31", "reports/balances?", "ageing?"]
)
@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
def test_reports_are_files_too(finance: FlaskClient, path: str, form: str) -> None:
    answer = finance.get(f"/finance/{path}&format={form}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    manifest = json.loads(finance.get(f"/finance/{path}&format={form}&part=manifest").text)
    assert manifest["row_count"] > 0


def test_odd_addresses_are_answered_in_words(finance: FlaskClient) -> None:
    for path in (
        "statements/PKL/2026-13",
        "statements/PKL/kemarin.pdf",
        "statements/XXX/2026-10",
        "periods/2026-10-01--2026-10-03",
    ):
        assert finance.get(f"/finance/{path}").status_code == 404, path
    for path in ("statements?from=2026-10-05&to=2026-10-01", "lines?from=2026-10-05&to=1999-10-01", "ageing?on=besok",
                 "lines?from=1950-01-01&to=1950-01-31"):  # fmt: skip
        assert finance.get(f"/finance/{path}").status_code == 422, path
    assert finance.get("/finance/statements/PKL/2026-10.csv?as_of=besok").status_code == 422
    assert finance.get("/finance/reports/sales?by=nobody").status_code == 404


def test_finance_of_one_facility_sees_that_one_alone(app: Flask, shop: Shop) -> None:
    client = sign_in(app.test_client(), make_account("finance", facilities=(shop.pekalongan,)))
    assert client.get("/finance/statements/PKL/2026-10").status_code == 200
    assert client.get("/finance/statements/NML/2026-10").status_code == 404
    assert client.get("/finance/statements/NML/2026-10.csv").status_code == 404
    assert client.get("/finance/ageing/NML/premium").status_code == 404
    for path in ("lines?from=2026-09-01&to=2026-10-31", "reports/sales?by=workshop&from=2026-09-01&to=2026-10-31",
                 "reports/balances", "ageing", "statements"):  # fmt: skip
        page = client.get(f"/finance/{path}").text
        assert "Namlea" not in page, path
        assert "Madu hutan" not in page, path
    assert "NML" not in client.get("/finance/reports/balances?format=csv").text
    assert client.get("/finance/periods").status_code == 404


def test_a_facility_reads_its_own_statements(head: FlaskClient) -> None:
    assert "Oktober 2026" in head.get("/seller/PKL/statements").text
    assert head.get("/seller/PKL/statements/2026-10.xlsx").mimetype == XLSX
    assert head.get("/seller/NML/statements/2026-10").status_code == 404
    assert "Madu hutan" not in head.get("/seller/PKL/lines?from=2026-09-01&to=2026-10-31").text


def test_a_statement_costs_few_queries(finance: FlaskClient, statements: Callable[[], list[str]]) -> None:
    finance.get("/finance/statements/PKL/2026-10")
    statements()
    finance.get("/finance/statements/PKL/2026-10")
    # Through SQLAlchemy: who is signed in, the facility, the period; the figures go by the driver itself.
    assert len(statements()) <= 8


def test_english_pages_have_no_indonesian_fund_names(finance: FlaskClient) -> None:
    page = finance.get("/en/finance/statements/PKL/2026-10").text
    assert "October 2026" in page
    assert "Working capital" in page


@pytest.fixture
def closable(monkeypatch: pytest.MonkeyPatch, db_session: DbSession, shop: Shop) -> None:
    """In December, with nothing of the state's overdue for September and checks that find nothing."""
    monkeypatch.setattr(days, "today", lambda: datetime.date(2026, 12, 3))
    monkeypatch.setattr("storefront.verify.month.INVARIANTS", ())
    agreed()


def test_a_month_is_checked_closed_and_opened_again(
    app: Flask, finance: FlaskClient, closable: None, run_jobs: Callable[[], None], db_session: DbSession
) -> None:
    page = finance.get("/finance/periods/2026-09").text
    assert "Belum diperiksa." in page
    assert post(finance, "/finance/periods/2026-09/close").status_code == 409
    assert post(finance, "/finance/periods/2026-09/check").status_code == 303
    run_jobs()
    page = finance.get("/finance/periods/2026-09").text
    assert "Tutup September 2026" in page
    closed = post(finance, "/finance/periods/2026-09/close", {"named": "1"}, follow_redirects=True)
    assert "Isi bulan ini tidak berubah sejak ditutup." in closed.text
    assert db_session.get(Period, datetime.date(2026, 9, 1)) is not None
    assert "Buku ditutup" in finance.get("/finance/statements/PKL/2026-09").text
    assert (
        post(finance, "/finance/periods/2026-09/reopen", {"reason": "Salah tanggal setoran"}).status_code
        == 403
    )
    admin = sign_in(app.test_client(), make_account("administrator"))
    refused = post(admin, "/finance/periods/2026-09/reopen", {"reason": "salah"})
    assert refused.status_code == 422
    assert "Tulis alasannya" in refused.text
    assert admin.get("/finance/periods/2026-09/reopen").status_code == 302
    opened = post(
        admin, "/finance/periods/2026-09/reopen", {"reason": "Salah tanggal setoran"}, follow_redirects=True
    )
    assert "Salah tanggal setoran" in opened.text
    assert post(admin, "/finance/periods/2026-09/close", {"named": "1"}).status_code == 403


def test_the_list_of_months_says_which_is_next(finance: FlaskClient, closable: None) -> None:
    page = finance.get("/finance/periods").text
    assert page.count("Berikutnya ditutup") == 1
    assert "Berjalan" in page


def test_an_auditor_reads_and_each_look_is_recorded(app: Flask, shop: Shop, db_session: DbSession) -> None:
    auditor = sign_in(app.test_client(), make_account("auditor"))
    assert auditor.get("/finance/statements/PKL/2026-10").status_code == 200
    assert auditor.get("/finance/periods").status_code == 200
    assert post(auditor, "/finance/periods/2026-09/check").status_code == 403
    seen = db_session.scalars(
        select(AuditEvent.subject_id).where(AuditEvent.action == "finance.viewed")
    ).all()
    assert {"finance.statement_page", "finance.periods"} <= set(seen)
