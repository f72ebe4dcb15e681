"""The sales export against a slow, plain model: every row, every sum, every byte that a spreadsheet could misread."""

from __future__ import annotations

import csv
import datetime
import hashlib
import io
import json
import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pyarrow.parquet
import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from storefront.days import accounting_day
from storefront.exports import files, moment, sales, workbook, written_table
from storefront.exports.columns import SALES
from storefront.exports.download import Part
from storefront.exports.formats import Format
from storefront.exports.moment import BadMoment, StillWriting, parse_moment, settle
from storefront.extensions import db
from storefront.ledger.models import Fund
from storefront.orders.models import Order, OrderState
from storefront.payments.models import Payment
from tests.factories import (
    make_facility,
    make_order,
    make_paid_order,
    make_product,
    make_rule,
    make_variant,
    make_workshop,
)
from tests.replay import replayed

#: The columns as the contract lists them.
COLUMNS = [
    "line_id", "order_number", "paid_at", "facility_code", "facility_name", "workshop", "product", "sku", "quantity",
    "unit_price", "net_amount", "material_cost", "premium", "working_capital", "state_revenue", "other_shares",
    "split_rule_id", "gateway", "payment_reference", "channel", "exhibition",
]  # fmt: skip
AMOUNTS = COLUMNS[9:16]
NASTY = (
    "=1+1", "+62812", "-5 derajat", "@SUM(A1)", "\tTab di depan", "\rCR di depan", 'Kursi "jati", besar',
    "Dua\nbaris", "Ukiran – kayu 木", "'sudah berkutip", "a\\b\\N", "Biasa saja",
)  # fmt: skip


def jakarta(day: int, hour: int, minute: int = 0, month: int = 10) -> datetime.datetime:
    """A moment of 2026 by the accounting zone's clock."""
    return datetime.datetime(
        2026, month, day, hour, minute, tzinfo=datetime.timezone(datetime.timedelta(hours=7))
    )


@pytest.fixture
def shop(db_session: Session) -> dict[str, Any]:
    """Sales of two facilities, one under `profit` and a fourth fund, at the edges of October 2026."""
    return sold_in_october()


@replayed
def sold_in_october() -> dict[str, Any]:
    """Sales of two facilities, one under `profit` and a fourth fund, at the edges of October 2026."""
    make_rule()
    db.session.add(Fund(code="operating", name="Operasional", name_en="Operating", finance_name="Operasional",
                        finance_name_en="Operating", position=4))  # fmt: skip
    db.session.flush()
    first, second = make_facility("PKL", name="Lapas Pekalongan"), make_facility("PKB", name="=Lapas PKB")
    make_rule({"premium": 3333, "operating": 6667}, basis="profit", facility=second,
              valid_from=datetime.date(2023, 1, 1))  # fmt: skip
    bench, other_bench = make_workshop(first, "@Kayu"), make_workshop(second, "Ukir")
    shelf = [
        make_variant(make_product(bench, title=name), stock=50, price=10_001 + n, material_cost=n * 7)
        for n, name in enumerate(NASTY)
    ]
    other = make_variant(
        make_product(other_bench, title="Pigura"), stock=50, price=75_001, material_cost=20_000
    )
    moments = [
        jakarta(30, 23, 59, 9),
        jakarta(1, 0),
        jakarta(15, 12),
        jakarta(31, 23, 59),
        jakarta(1, 0, 0, 11),
    ]
    for paid_at in moments:
        make_paid_order(
            *[(variant, 1 + n % 3) for n, variant in enumerate(shelf)], (other, 2), paid_at=paid_at
        )
    make_order((shelf[0], 1))  # unpaid: never in an export
    db.session.commit()
    return {"first": first, "second": second, "shelf": shelf, "other": other, "moments": moments}


def plain_model(
    first: datetime.date, last: datetime.date, facility: str | None = None
) -> list[dict[str, Any]]:
    """The rows by the models, one by one."""
    rows = []
    zone = datetime.timezone(datetime.timedelta(hours=7))
    funds = {fund.id: fund.code for fund in db.session.scalars(select(Fund))}
    for order in db.session.scalars(select(Order).where(Order.state == OrderState.PAID.value)):
        assert order.paid_at is not None
        if not first <= order.paid_at.astimezone(zone).date() <= last:
            continue
        payment = db.session.scalars(
            select(Payment).where(Payment.order_id == order.id, Payment.counts)
        ).one()
        for line in order.lines:
            if facility not in (None, line.facility_code):
                continue
            shares = dict.fromkeys(("premium", "working_capital", "state_revenue", "other_shares"), 0)
            for share in line.shares:
                code = funds[share.fund_id]
                shares[code if code in shares else "other_shares"] += share.amount
            rows.append({
                "line_id": line.id, "order_number": order.number, "paid_at": order.paid_at,
                "facility_code": line.facility_code, "facility_name": line.facility_name,
                "workshop": line.workshop_name, "product": line.title, "sku": line.sku, "quantity": line.quantity,
                "unit_price": line.unit_price, "net_amount": line.net_amount, "material_cost": line.material_cost,
                **shares, "split_rule_id": line.split_rule_id, "gateway": payment.gateway,
                "payment_reference": payment.reference, "channel": order.channel, "exhibition": None,
            })  # fmt: skip
    return sorted(rows, key=lambda row: (row["paid_at"], row["line_id"]))


def as_cell(value: Any) -> str:
    """What a CSV cell says of a value."""
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, str) and value[:1] in "=+-@\t\r":
        return "'" + value
    return "" if value is None else str(value)


OCTOBER = (datetime.date(2026, 10, 1), datetime.date(2026, 10, 31))


def write(
    target: Path,
    form: Format,
    *,
    days: tuple[datetime.date, datetime.date] = OCTOBER,
    facility: str | None = None,
    as_of: datetime.datetime | None = None,
) -> dict[str, Any]:
    """Export some days; returns the manifest."""
    db.session.commit()
    selection = sales.select(db.engine, *days, facility=facility)
    return sales.write(db.engine, selection, settle(db.engine, as_of), form, target, note="CONTOH")


def test_columns_are_the_contracts_and_the_views(db_session: Session) -> None:
    view = db_session.execute(text("SELECT * FROM reporting.sales LIMIT 0")).keys()
    assert [column.name for column in SALES] == COLUMNS == list(view)


@pytest.mark.parametrize("facility", [None, "PKB"])
def test_csv_holds_the_plain_models_rows(shop: dict[str, Any], tmp_path: Path, facility: str | None) -> None:
    found = write(tmp_path / "sales.csv", Format.CSV, facility=facility)
    raw = (tmp_path / "sales.csv").read_bytes()
    model = plain_model(*OCTOBER, facility)
    assert raw.startswith(b"\xef\xbb\xbfline_id,")
    assert raw.count(b"\r\n") >= len(model) + 1
    assert b"\n" not in raw.replace(b"\r\n", b"").replace(b"Dua\nbaris", b"")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert rows[0] == COLUMNS
    assert rows[1:] == [[as_cell(row[name]) for name in COLUMNS] for row in model]
    assert found["row_count"] == len(model) > 0
    assert found["sums"] == {name: sum(row[name] for row in model) for name in AMOUNTS}


def test_first_and_last_day_are_whole_days_in_jakarta(shop: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path / "sales.jsonl", Format.JSONL)
    paid = {json.loads(line)["paid_at"] for line in (tmp_path / "sales.jsonl").read_text().splitlines()}
    assert paid == {as_cell(at) for at in shop["moments"][1:4]}


def test_a_formula_can_not_run_and_a_number_stays_one(shop: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path / "sales.csv", Format.CSV)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "sales.csv").read_text("utf-8-sig"), newline="")))
    products = {row["product"].strip() for row in rows}
    assert {"'=1+1", "'+62812", "'-5 derajat", "'@SUM(A1)", "'\tTab di depan", "'sudah berkutip"} <= products
    for row in rows:
        assert all(int(row[name]) >= 0 for name in AMOUNTS)
        assert not any(value.startswith(("=", "+", "-", "@", "\t", "\r")) for value in row.values())


def test_xlsx_reads_back_equal_with_types_and_a_header_in_sight(shop: dict[str, Any], tmp_path: Path) -> None:
    found = write(tmp_path / "sales.xlsx", Format.XLSX)
    book = openpyxl.load_workbook(tmp_path / "sales.xlsx")
    sheet = book.worksheets[0]
    model = plain_model(*OCTOBER)
    assert sheet.freeze_panes == "A2"
    assert [cell.value for cell in sheet[1]] == COLUMNS
    assert sheet.max_row == len(model) + 1 == found["row_count"] + 1
    for cells, row in zip(sheet.iter_rows(min_row=2), model, strict=True):
        for cell, name in zip(cells, COLUMNS, strict=True):
            if name == "paid_at":
                assert cell.value == row[name].astimezone(datetime.UTC).replace(tzinfo=None, microsecond=0)
            elif isinstance(row[name], int):
                assert (cell.data_type, cell.value) == ("n", row[name])
            else:
                assert cell.data_type != "f"
                expected = None if row[name] is None else as_cell(row[name])
                assert (
                    cell.value == (expected and expected.replace("\r", "_x000D_")) or cell.value == expected
                )
    assert book.sheetnames[1:] == ["Jumlah", "Keterangan"]
    sums = {row[0]: row[1] for row in book["Jumlah"].iter_rows(min_row=2, values_only=True)}
    assert sums == {"Baris": len(model), **{name: sum(row[name] for row in model) for name in AMOUNTS}}
    assert book.worksheets[2].cell(2, 1).value == "CONTOH"


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_xlsx_refuses_more_rows_than_a_sheet_holds_and_leaves_nothing(
    shop: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(workbook, "AT_ONCE", at_once)
    moment_of_it = db.session.execute(text("SELECT now()")).scalar_one()
    whole = write(tmp_path / "sales.xlsx", Format.XLSX, as_of=moment_of_it)
    (tmp_path / "sales.xlsx").unlink()
    monkeypatch.setattr(workbook, "SHEET_ROWS", whole["row_count"])  # its header is a row too
    with pytest.raises(workbook.TooManyRows):
        write(tmp_path / "sales.xlsx", Format.XLSX, as_of=moment_of_it)
    assert not (tmp_path / "sales.xlsx").exists()
    monkeypatch.setattr(workbook, "SHEET_ROWS", whole["row_count"] + 1)
    assert write(tmp_path / "sales.xlsx", Format.XLSX, as_of=moment_of_it)["sha256"] == whole["sha256"]


def test_jsonl_keeps_values_as_they_are(shop: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path / "sales.jsonl", Format.JSONL)
    lines = (tmp_path / "sales.jsonl").read_bytes().split(b"\n")
    assert lines.pop() == b""
    model = plain_model(*OCTOBER)
    for line, row in zip(lines, model, strict=True):
        read = json.loads(line)
        assert list(read) == COLUMNS
        assert read == {**row, "paid_at": as_cell(row["paid_at"])}


@pytest.mark.parametrize("form", list(Format))
def test_an_export_of_nothing_is_a_header(shop: dict[str, Any], tmp_path: Path, form: Format) -> None:
    selection = sales.select(db.engine, datetime.date(2001, 1, 1), datetime.date(2001, 1, 2))
    db.session.commit()
    target = tmp_path / f"empty.{form}"
    found = sales.write(db.engine, selection, settle(db.engine), form, target, note=None)
    assert found["row_count"] == 0
    assert set(found["sums"].values()) == {0}
    assert "note" not in found
    if form is Format.XLSX:
        book = openpyxl.load_workbook(target)
        assert [cell.value for cell in book.worksheets[0][1]] == COLUMNS
        assert book.sheetnames[1:] == ["Jumlah"]
    elif form is Format.PARQUET:
        assert pyarrow.parquet.read_table(target).column_names == COLUMNS
    else:
        assert len(target.read_bytes().splitlines()) == (1 if form.ending == "csv" else 0)


def test_the_manifest_describes_the_file_beside_it(shop: dict[str, Any], tmp_path: Path) -> None:
    found = write(tmp_path / "sales.csv", Format.CSV, facility="PKL")
    beside = json.loads((tmp_path / "sales.csv.manifest.json").read_text())
    assert beside == found
    assert beside["sha256"] == hashlib.sha256((tmp_path / "sales.csv").read_bytes()).hexdigest()
    assert beside["filters"] == {"from": "2026-10-01", "to": "2026-10-31", "facility": "PKL"}
    assert beside["columns"] == COLUMNS
    assert beside["note"] == "CONTOH"
    assert parse_moment(beside["as_of"]) <= datetime.datetime.now(datetime.UTC)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sales.csv", "sales.csv.manifest.json"]


@pytest.mark.parametrize("form", list(Format))
def test_the_same_moment_gives_the_same_bytes_while_selling_goes_on(
    shop: dict[str, Any], tmp_path: Path, form: Format
) -> None:
    today = (accounting_day(datetime.datetime.now(datetime.UTC)),) * 2
    make_paid_order((shop["other"], 2), (shop["shelf"][0], 1))
    first = write(tmp_path / "one", form, days=today)
    make_paid_order((shop["other"], 1))
    again = write(tmp_path / "two", form, days=today, as_of=parse_moment(first["as_of"]))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert {**first, "file": ""} == {**again, "file": ""}
    assert first["row_count"] == 2
    assert write(tmp_path / "three", form, days=today)["row_count"] == 3


def test_an_earlier_moment_knows_only_what_was_sold_by_then(shop: dict[str, Any], tmp_path: Path) -> None:
    found = write(tmp_path / "sales.csv", Format.CSV, as_of=jakarta(15, 12))
    expected = [row for row in plain_model(*OCTOBER) if row["paid_at"] <= jakarta(15, 12)]
    assert found["row_count"] == len(expected) < len(plain_model(*OCTOBER))
    assert found["as_of"] == as_cell(jakarta(15, 12))


def test_a_sale_typed_in_later_does_not_change_an_earlier_export(
    shop: dict[str, Any], tmp_path: Path
) -> None:
    as_of = parse_moment(write(tmp_path / "before.csv", Format.CSV)["as_of"])
    order = make_paid_order((shop["other"], 1), paid_at=jakarta(20, 10))
    db.session.flush()
    db.session.commit()
    with psycopg.connect(_owner_address()) as connection:
        connection.execute("ALTER TABLE journal_entries DISABLE TRIGGER journal_entries_append_only")
        connection.execute("UPDATE journal_entries SET posted_at = now() WHERE order_id = %s", [order.id])
        connection.execute("ALTER TABLE journal_entries ENABLE TRIGGER journal_entries_append_only")
    write(tmp_path / "after.csv", Format.CSV, as_of=as_of)
    assert (tmp_path / "before.csv").read_bytes() == (tmp_path / "after.csv").read_bytes()
    assert write(tmp_path / "now.csv", Format.CSV)["row_count"] == len(plain_model(*OCTOBER))


def _owner_address() -> str:
    from flask import current_app

    return str(current_app.extensions["settings"].database_owner_url)


class Writer:
    """Another connection that holds a transaction open, as a payment does."""

    def __init__(self, address: str) -> None:
        self.connection = psycopg.connect(address)
        self.connection.execute("SELECT 1")

    def end(self) -> None:
        self.connection.rollback()
        self.connection.close()


@pytest.fixture
def writer(shop: dict[str, Any]) -> Iterator[Writer]:
    db.session.commit()
    from flask import current_app

    held = Writer(str(current_app.extensions["settings"].database_url))
    yield held
    if not held.connection.closed:
        held.end()


def test_an_export_waits_for_what_began_before_its_moment(writer: Writer) -> None:
    ending = threading.Event()

    def end() -> None:
        ending.set()
        writer.end()

    timer = threading.Timer(0.5, end)
    timer.start()
    settle(db.engine, patience=10)
    assert ending.is_set()
    timer.join()


def test_waiting_in_vain_is_a_clear_error_not_a_doubtful_file(writer: Writer) -> None:
    with pytest.raises(StillWriting, match="still_writing"):
        settle(db.engine, patience=0.4)


def test_what_began_later_and_what_only_reads_is_not_waited_for(writer: Writer) -> None:
    with db.engine.connect() as connection:
        [(before,)] = connection.exec_driver_sql("SELECT now() - interval '1 second'").fetchall()
    assert settle(db.engine, before, patience=0) == before
    writer.connection.rollback()
    writer.connection.execute("SELECT set_config('application_name', %s, false)", [moment.READER])
    assert settle(db.engine, patience=0) is not None


def test_a_moment_to_come_or_not_to_be_read_is_refused(db_session: Session) -> None:
    with pytest.raises(BadMoment):
        settle(db.engine, datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1))
    for odd in ("", "kemarin", "2026-11-30", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "12:00"):
        with pytest.raises(BadMoment):
            parse_moment(odd)
    assert parse_moment("2026-11-30T17:00:00") == parse_moment("2026-11-30T10:00:00Z")
    assert parse_moment("2026-11-30T17:00:00 07:00") == parse_moment("2026-11-30T10:00:00.000Z")


def test_a_failed_export_leaves_the_old_file_alone(
    shop: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "sales.csv", Format.CSV)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_asked: Any, **_more: Any) -> Iterator[bytes]:
        yield b"half"
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(written_table, "text_blocks", full)
    with pytest.raises(files.CannotWrite) as error:
        write(tmp_path / "sales.csv", Format.CSV)
    assert "penuh" in str(error.value.message)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("form", [Format.CSV, Format.JSONL])
def test_a_full_disk_leaves_no_file(
    shop: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Format
) -> None:
    really = written_table.fill
    monkeypatch.setattr(
        written_table, "fill", lambda draft, *rest, **named: really(Path("/dev/full"), *rest, **named)
    )
    with pytest.raises(files.CannotWrite) as error:
        write(tmp_path / "sales", form)
    assert "penuh" in str(error.value.message)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("part", list(Part))
def test_a_facilitys_own_download_is_the_same_file(shop: dict[str, Any], tmp_path: Path, part: Part) -> None:
    found = write(tmp_path / "sales.csv", Format.CSV, facility="PKB")
    selection = sales.select(db.engine, *OCTOBER, facility="PKB")
    download = sales.download_of(selection, Format.CSV, as_of=parse_moment(found["as_of"]), part=part)
    content = b"".join(download.blocks)
    if part is Part.ZIP:
        archive = zipfile.ZipFile(io.BytesIO(content))
        assert archive.testzip() is None
        content = archive.read("penjualan-2026-10-01-2026-10-31-PKB.csv")
        manifest = json.loads(archive.read("penjualan-2026-10-01-2026-10-31-PKB.csv.manifest.json"))
        assert manifest["sha256"] == found["sha256"]
    if part is Part.MANIFEST:
        assert json.loads(content)["sha256"] == found["sha256"]
    else:
        assert content == (tmp_path / "sales.csv").read_bytes()


Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask, shop: dict[str, Any]) -> Run:
    """`flask export sales …` with October unless told."""
    db.session.commit()

    def run(*arguments: str) -> Result:
        return app.test_cli_runner().invoke(args=["export", "sales", *arguments])

    return run


def test_the_command_writes_what_the_rule_gives(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "sales.csv"
    days = ("--from", "2026-10-01", "--to", "2026-10-31")
    result = run(*days, "--facility", "PKB", "--format", "csv", "--out", str(out))
    assert result.exit_code == 0, result.output
    manifest = json.loads((tmp_path / "sales.csv.manifest.json").read_text())
    assert manifest["row_count"] == len(plain_model(*OCTOBER, "PKB"))
    assert manifest["note"] == "DATA CONTOH – angka rekaan"
    assert out.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "2026-10-31", "--to", "2026-10-01"], "lebih awal"),
        (["--from", "2026-10-01", "--to", "2026-10-31", "--facility", "ZZZ"], "ZZZ"),
        (["--from", "2026-10-01", "--to", "2026-10-31", "--as-of", "kapan"], "tidak dikenali"),
        (["--from", "2026-10-01", "--to", "2026-10-31", "--as-of", "2999-01-01T00:00:00Z"], "belum tiba"),
        (["--from", "besok", "--to", "2026-10-31"], "besok"),
    ],
)
def test_the_command_says_what_is_wrong(run: Run, tmp_path: Path, arguments: list[str], message: str) -> None:
    result = run(*arguments, "--out", str(tmp_path / "sales.csv"))
    assert result.exit_code != 0
    assert message in result.output
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


def test_the_command_names_the_folder_that_is_missing(run: Run, tmp_path: Path) -> None:
    days = ("--from", "2026-10-01", "--to", "2026-10-31")
    assert "tidak ada" in run(*days, "--out", str(tmp_path / "nowhere" / "sales.csv")).output
    assert "adalah folder" in run(*days, "--out", str(tmp_path)).output
