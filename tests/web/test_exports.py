"""Exports on finance's pages: what is chosen is what is in the file, for those who may read it, also by a job."""

from __future__ import annotations

import csv
import datetime
import html
import io
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import openpyxl
import pyarrow.parquet
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session as DbSession

from storefront.days import today
from storefront.exports import letters, made_files, presets
from storefront.exports.datasets import DATASETS
from storefront.exports.models import ExportPreset, MadeFile
from storefront.extensions import db
from storefront.mail.models import Message
from tests.factories import make_paid_order, make_product, make_rule, make_variant, make_workshop
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in
from tests.training import make_training

JAKARTA = datetime.timezone(datetime.timedelta(hours=7))
OCTOBER = "from=2026-10-01&to=2026-10-31"
NASTY = '=HYPERLINK("https://jahat.test")\n🪑 "kursi"; besar'


@pytest.fixture
def shop(db_session: DbSession) -> Shop:
    """Sales of two facilities in October, one with a name that spreadsheets would run."""
    shop = open_shop()
    make_rule(basis="profit", facility=shop.ambon, valid_from=datetime.date(2020, 1, 1))
    bench = make_workshop(shop.ambon, "=Ukir")
    nasty = make_variant(make_product(bench, title=NASTY), stock=5, price=50_000)
    for day, things in ((2, (shop.batik, shop.honey)), (20, (shop.chair,)), (30, (nasty,))):
        make_paid_order(*[(one, 1) for one in things], paid_at=datetime.datetime(2026, 10, day, 12, tzinfo=JAKARTA))
    make_training(shop.ambon, started_on=datetime.date(2026, 10, 1), ended_on=datetime.date(2026, 10, 9))
    db_session.commit()
    return shop


@pytest.fixture
def finance(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("finance"))


@pytest.fixture
def of_ambon(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("finance", facilities=(shop.ambon,)))


def rows(client: FlaskClient, query: str, delimiter: str = ",") -> list[dict[str, str]]:
    answer = client.get(f"/finance/export?{OCTOBER}&{query}")
    assert answer.status_code == 200, answer.text[:500]
    return list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"), newline=""), delimiter=delimiter))


@pytest.mark.parametrize("name", [name for name in DATASETS if name != "audit_people"])
def test_every_set_is_the_same_in_every_form(finance: FlaskClient, name: str) -> None:
    page = finance.get(f"/finance/export?{OCTOBER}&dataset={name}")
    assert page.status_code == 200
    as_of = re.search(r"as_of=([^&\"]+)", page.text)
    assert as_of is not None
    query = f"/finance/export?{OCTOBER}&dataset={name}&as_of={html.unescape(as_of[1])}"
    manifest = finance.get(f"{query}&format=csv&part=manifest").json
    found = csv.DictReader(io.StringIO(finance.get(f"{query}&format=csv").text.lstrip("\ufeff"), newline=""))
    assert found.fieldnames == manifest["columns"] == [column.name for column in DATASETS[name].columns]
    read = list(found)
    assert len(read) == manifest["row_count"]
    assert read or name in ("refunds", "audit")  # none in October
    for column, amount in manifest["sums"].items():
        assert sum(int(row[column] or 0) for row in read) == amount
    lines = [json.loads(line) for line in finance.get(f"{query}&format=jsonl").text.splitlines()]
    book = openpyxl.load_workbook(io.BytesIO(finance.get(f"{query}&format=xlsx").data))
    parquet = pyarrow.parquet.read_table(io.BytesIO(finance.get(f"{query}&format=parquet").data))
    assert len(lines) == parquet.num_rows == len(read)
    assert [row[0] for row in book.worksheets[0].iter_rows(min_row=2, values_only=True) if any(row)] == [
        line[manifest["columns"][0]] for line in lines
    ]
    for column, amount in manifest["sums"].items():
        assert sum(line[column] or 0 for line in lines) == amount
        assert sum(value or 0 for value in parquet[column].to_pylist()) == amount
    assert {row[0].value: row[1].value for row in book["Jumlah"].iter_rows(min_row=2)} == {
        "Baris": len(read), **manifest["sums"],
    }  # fmt: skip


@pytest.mark.parametrize("name", [name for name in DATASETS if name != "audit_people"])
def test_the_command_writes_what_the_page_gives(
    app: Flask, finance: FlaskClient, tmp_path: Path, name: str
) -> None:
    page = finance.get(f"/finance/export?{OCTOBER}&dataset={name}")
    as_of = re.search(r"as_of=([^&\"]+)", page.text)
    assert as_of is not None
    moment = unquote(html.unescape(as_of[1]))
    columns = ",".join(column.name for column in DATASETS[name].columns[::-1][:3])
    given, asked = (["--filter", "channel=online"], "&channel=online") if name == "postings" else ([], "")
    for form in ("csv", "jsonl", "xlsx"):
        out = tmp_path / f"rows.{form}"
        options = ["--columns", columns, "--as-of", moment, "--format", form, "--out", str(out)]
        command = ["export", "rows", name, "--from", "2026-10-01", "--to", "2026-10-31", *given, *options]
        db.session.rollback()
        done = app.test_cli_runner().invoke(args=command)
        assert done.exit_code == 0, done.output
        query = f"{OCTOBER}&dataset={name}&as_of={moment}&columns={columns}&format={form}{asked}"
        assert finance.get(f"/finance/export?{query}").data == out.read_bytes()
    for wrong in (["--filter", "warna=biru"], ["--columns", "secret"], ["--to", "2026-09-30"]):
        refused = app.test_cli_runner().invoke(args=[*command, *wrong])
        assert refused.exit_code in (1, 2)
        assert "Traceback" not in refused.output


def test_books_agree_with_sql(finance: FlaskClient, db_session: DbSession) -> None:
    found = rows(finance, "dataset=postings&format=csv")
    told = db_session.execute(text("SELECT count(*), sum(amount)::bigint FROM reporting.ledger_postings")).one()
    db_session.rollback()  # what writes is waited for, and a test's own transaction could
    assert (len(found), sum(int(row["amount"]) for row in found)) == tuple(told)
    lines = rows(finance, "dataset=statements&format=csv")
    funds = ("premium", "working_capital", "state_revenue", "shipping", "other_shares")
    assert all(sum(int(line[fund]) for fund in funds) == int(line["total"]) for line in lines)
    assert {row["state"] for row in rows(finance, "dataset=parcels&format=csv")} <= {"to_pack", "packed"}


def test_columns_are_chosen_and_ordered_without_javascript(finance: FlaskClient) -> None:
    ticked = "col=&col=net_amount&col=product&col=sku&at-sku=1&at-net_amount=3&at-product=2"
    answer = finance.get(f"/finance/export?{OCTOBER}&{ticked}")
    assert answer.status_code == 302
    assert "columns=sku,product,net_amount" in answer.headers["Location"].replace("%2C", ",")
    found = rows(finance, "columns=sku,product,net_amount&format=csv-semicolon", ";")
    assert list(found[0]) == ["sku", "product", "net_amount"]
    assert [row["product"] for row in found if row["product"].startswith("'")] == ["'" + NASTY]
    answer = finance.get(f"/finance/export?{OCTOBER}&columns=sku,net_amount&format=xlsx")
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    assert [cell.value for cell in book.worksheets[0][1]] == ["sku", "net_amount"]
    sums = {row[0].value: row[1].value for row in book["Jumlah"].iter_rows(min_row=2)}
    assert sums == {"Baris": len(found), "net_amount": sum(int(row["net_amount"]) for row in found)}
    for wrong in ("columns=secret", "columns=sku,sku", "col="):
        refused = finance.get(f"/finance/export?{OCTOBER}&{wrong}")
        assert refused.status_code == 422
        assert "Pilih paling sedikit satu kolom" in refused.text


def test_filters_narrow_and_say_so(finance: FlaskClient, shop: Shop) -> None:
    assert {row["workshop"] for row in rows(finance, "workshop=%3DUkir&format=csv")} == {"'=Ukir"}
    assert rows(finance, "exhibition=tidak-ada&format=csv") == []
    assert {row["facility_code"] for row in rows(finance, "facility=NML&format=csv")} == {"NML"}
    region = shop.ambon.regional_office
    db.session.rollback()
    manifest = finance.get(f"/finance/export?{OCTOBER}&region={region}&format=csv&part=manifest").json
    assert manifest["filters"]["region"] == region
    assert manifest["row_count"] == len(rows(finance, "facility=NML&format=csv"))
    for wrong in ("from=2026-10-31&to=2026-10-01", "from=kemarin&to=2026-10-01"):
        for dataset in DATASETS:
            assert finance.get(f"/finance/export?{wrong}&dataset={dataset}").status_code in (404, 422)


def test_nobody_sees_more_than_their_own(app: Flask, finance: FlaskClient, of_ambon: FlaskClient) -> None:
    for name in ("sales", "postings", "statements", "parcels", "balances"):
        assert {row["facility_code"] for row in rows(of_ambon, f"dataset={name}&format=csv")} == {"NML"}
        assert of_ambon.get(f"/finance/export?{OCTOBER}&dataset={name}&facility=PKL&format=csv").status_code == 422
    assert finance.get("/finance/export?dataset=audit_people").status_code == 404
    assert finance.get("/finance/export?dataset=secrets").status_code == 404
    administrator = sign_in(app.test_client(), make_account("administrator"))
    assert administrator.get("/finance/export?dataset=refunds").status_code == 404
    assert administrator.get("/finance/export?dataset=audit_people").status_code == 200


def ask(client: FlaskClient, **more: Any) -> MadeFile:
    """Have a job make October's sales, as the page's form does."""
    page = client.get(f"/finance/export?{OCTOBER}").text
    form = page[page.index('method="post" action="/finance/export"') :]
    fields = dict(re.findall(r'name="([a-z_]+)" value="([^"]*)"', form[: form.index("</form>")]))
    fields = {name: html.unescape(value) for name, value in fields.items() if name != "csrf_token"}
    answer = post(client, "/finance/export", {**fields, "format": "csv", **more})
    assert answer.status_code == 303, answer.text[:500]
    return db.session.get_one(MadeFile, int(answer.headers["Location"].rpartition("/")[2]))


def test_a_job_makes_the_same_file_and_keeps_it_for_its_own(
    app: Flask, finance: FlaskClient, of_ambon: FlaskClient
) -> None:
    found = ask(finance)
    address = f"/finance/files/{found.id}"
    assert "Menunggu giliran" in finance.get(address).text
    assert "Menunggu giliran" in finance.get(f"{address}/progress").text
    assert finance.get(f"{address}/file").status_code == 404
    made_files.run(found.id)
    assert found.state == "ready", found.error
    assert finance.get(f"{address}/progress").headers["HX-Refresh"] == "true"
    assert found.sha256 in finance.get(address).text
    fetched = finance.get(f"{address}/file")
    assert fetched.headers["Content-Disposition"] == 'attachment; filename="penjualan-2026-10-01-2026-10-31.csv"'
    as_of = found.parameters["as_of"]
    assert fetched.data == finance.get(f"/finance/export?{OCTOBER}&format=csv&as_of={as_of}").data
    manifest = finance.get(f"/finance/export?{OCTOBER}&format=csv&as_of={as_of}&part=manifest").json
    assert finance.get(f"{address}/file?part=manifest").json == manifest == found.manifest
    assert found.title in finance.get("/finance/files").text

    colleague = sign_in(app.test_client(), make_account("finance"))
    assert colleague.get(f"{address}/file").status_code == 404
    assert post(colleague, f"{address}/share").status_code == 404
    assert post(finance, f"{address}/share").status_code == 303
    assert colleague.get(f"{address}/file").data == fetched.data
    assert found.title in colleague.get("/finance/files").text
    assert of_ambon.get(f"{address}/file").status_code == 404
    assert found.title not in of_ambon.get("/finance/files").text
    assert post(finance, f"{address}/share", {"off": "1"}).status_code == 303
    assert colleague.get(address).status_code == 404


def test_a_job_asked_for_wrongly_is_refused(finance: FlaskClient, of_ambon: FlaskClient) -> None:
    for wrong in ({"format": "exe"}, {"to": "2026-09-01"}, {"as_of": "nanti"}, {"columns": "secret"}):
        asked = {"from": "2026-10-01", "to": "2026-10-31", "format": "csv", "as_of": "2026-11-01T00:00:00Z", **wrong}
        assert post(finance, "/finance/export", asked).status_code == 422
    own = ask(of_ambon)
    made_files.run(own.id)
    assert own.facility_ids is not None
    assert own.manifest is not None
    assert own.manifest["filters"]["facility"] == "NML"


def test_what_is_asked_often_is_saved_shared_and_made_by_the_clock(
    app: Flask, finance: FlaskClient, of_ambon: FlaskClient, shop: Shop
) -> None:
    asked = {"dataset": "sales", "facility": "NML", "columns": "sku,net_amount", "name": "Ambon 'bulanan' 🪑"}
    assert post(finance, "/finance/export-presets", asked).status_code == 303
    again = post(finance, "/finance/export-presets", asked)
    assert (again.status_code, "sudah dipakai" in again.text) == (422, True)
    assert post(finance, "/finance/export-presets", {**asked, "name": " "}).status_code == 422
    preset = db.session.scalars(select(ExportPreset)).one()
    assert preset.query == {"facility": "NML", "columns": "sku,net_amount"}
    page, address = "/finance/export-presets", f"/finance/export-presets/{preset.id}"
    assert "dataset=sales&amp;columns=sku,net_amount&amp;facility=NML" in finance.get(page).text.replace("%2C", ",")
    assert "Ambon" not in of_ambon.get(page).text
    assert post(of_ambon, f"{address}/share").status_code == 404
    assert post(finance, f"{address}/share").status_code == 303
    assert "Ambon" in of_ambon.get(page).text
    assert post(of_ambon, f"{address}/delete").status_code == 404
    assert post(finance, f"{address}/schedule", {"every": "year", "format": "csv"}).status_code == 422
    assert post(finance, f"{address}/schedule", {"every": "month", "format": "xlsx"}).status_code == 303
    db.session.refresh(preset)
    assert preset.next_on == presets.next_day("month", today())

    assert presets.make_due(preset.next_on - datetime.timedelta(days=1)) == 0
    assert presets.make_due(datetime.date(2999, 11, 9)) == 1  # once, however long nobody was there
    assert presets.make_due(datetime.date(2999, 11, 9)) == 0
    db.session.commit()
    made = db.session.scalars(select(MadeFile)).one()
    assert made.parameters["wish"]["first"] == "2999-10-01"
    assert made.parameters["wish"]["last"] == "2999-10-31"
    made_files.run(made.id)
    assert (made.state, made.file_name) == ("ready", "penjualan-2999-10-01-2999-10-31-NML.xlsx")
    owed = db.session.execute(text("SELECT kind, subject_id FROM messages WHERE subject_kind = 'made_file'")).one()
    letter = letters.ready(db.session.scalars(select(Message).where(Message.subject_kind == "made_file")).one())
    assert tuple(owed) == ("file_ready", made.id)
    assert letter is not None
    assert f"/finance/files/{made.id}" in letter.text

    db.session.execute(text("UPDATE memberships SET valid_until = now()"))
    db.session.commit()
    db.session.expire_all()
    assert letters.ready(db.session.scalars(select(Message).where(Message.subject_kind == "made_file")).one()) is None
    assert presets.make_due(datetime.date(2999, 12, 9)) == 0
    assert (preset.every, preset.next_on) == (None, None)
    db.session.commit()
