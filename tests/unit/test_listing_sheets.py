"""Spreadsheets as people send them: what is read of a cell, and what is refused before it is opened."""

from __future__ import annotations

import datetime
import io
import re
import time
import tracemalloc
import zipfile
from collections.abc import Iterator

import openpyxl
import pytest
from flask import Flask
from flask_babel import Babel
from hypothesis import given, settings
from hypothesis import strategies as st

from storefront.listing_files import parts
from storefront.listing_files.column_list import COLUMNS
from storefront.listing_files.columns import guarded, unguarded
from storefront.listing_files.content import Edit, plain, write
from storefront.listing_files.csv_sheet import read_csv
from storefront.listing_files.pictures import BadArchive, open_archive, plain_name
from storefront.listing_files.reading import open_sheet, rows_of
from storefront.listing_files.rows import FileRow
from storefront.listing_files.sheet import BadListingFile
from storefront.listing_files.written_file import FORMATS, Table, file_of
from storefront.listings.typed import blank
from storefront.written import one_line

HEADINGS = ["SKU", "Nama karya", "Cerita", "Harga", "Stok"]


@pytest.fixture(autouse=True)
def spoken() -> Iterator[None]:
    """Sentences need an app that speaks, and nothing else."""
    app = Flask(__name__)
    Babel(app)
    with app.app_context():
        yield


def book(*rows: list[object]) -> tuple[openpyxl.Workbook, openpyxl.worksheet.worksheet.Worksheet]:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    for row in [HEADINGS, *rows]:
        sheet.append(row)
    return made, sheet


def saved(made: openpyxl.Workbook) -> bytes:
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def read(content: bytes, format: str = "xlsx") -> list[FileRow]:
    return rows_of(open_sheet(content, format))[2]


def wrong(row: FileRow) -> dict[str, str]:
    return {fault["column"]: fault["text"] for fault in row.faults}


def refused(content: bytes, format: str = "xlsx") -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(BadListingFile) as refusal:
        read(content, format)
    return str(refusal.value.message)


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Co", "Cn"))
    | st.sampled_from("'=+-@\"\n;,0\t😀"),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(
        TEXTS | st.sampled_from(['=HYPERLINK("http://a.b")', "007", "'", "''x", "(kosong)", "-", "1E+5"]),
        min_size=1,
    )
)
def test_what_is_written_out_is_read_back_the_same(texts: list[str]) -> None:
    texts = [plain("description", text) for text in texts]
    expected = [text for text in texts if text]
    for format in FORMATS:
        rows = [["A-1", "Taplak", guarded(text), 125_000, 0] for text in texts]
        found = read(file_of([Table("Karya", HEADINGS, rows)], format), format)
        assert [
            plain("description", row.values["description"]) for row in found if "description" in row.values
        ] == expected
        assert all(
            row.values["price"] == "125000" and row.values["stock"] == "0" and not row.faults for row in found
        )
    assert [unguarded(guarded(text)) for text in texts] == texts


LINES = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "Zs")) | st.sampled_from("\\:;|-=' "), max_size=12
)


@settings(max_examples=100, deadline=None)
@given(
    facts=st.lists(
        st.tuples(st.sampled_from(("material", "care", "detail")), LINES, LINES, LINES, LINES), max_size=5
    ),
    columns=st.lists(LINES, max_size=4),
    rows=st.lists(st.tuples(LINES, st.lists(LINES, max_size=4)), max_size=4),
)
def test_lines_of_facts_and_sizes_say_the_same_when_they_are_read_back(
    facts: list[tuple[str, ...]], columns: list[str], rows: list[tuple[str, list[str]]]
) -> None:
    names = ("kind", "label", "label_en", "value", "value_en")
    said = [dict(zip(names, (kind, *map(one_line, texts)), strict=True)) for kind, *texts in facts]
    content = {
        **blank(),
        "facts": [fact for fact in said if fact["label"] and fact["value"]],
        "sizes": {
            **dict.fromkeys(("title", "title_en", "note", "note_en"), ""),
            "columns": [column for column in map(one_line, columns) if column],
            "columns_en": [],
            "rows": [one_line(row) or "x" for row, _cells in rows],
            "cells": [[one_line(cell) or "0" for cell in cells] for _row, cells in rows],
        },
    }
    written = {**blank(), "variants": []}
    for column in [column.key for column in COLUMNS if column.part[:1] in (("facts",), ("sizes",))]:
        text = parts.standing(content, column)
        assert isinstance(text, str)
        assert parts.plain(column, text) == text
        write(written, [Edit(None, column, text)])
    assert sorted(written["facts"], key=str) == sorted(content["facts"], key=str)
    assert (written["sizes"] or content["sizes"]) == content["sizes"]


def test_a_csv_in_any_of_the_ways_that_spreadsheets_write_it() -> None:
    text = 'SKU{0}Nama karya{0}Cerita{0}Harga\r\nA-1{0}Taplak “é”{0}"satu\nbaris"{0}1.250\r\n'
    for delimiter in ";,\t":
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"):
            [row] = read(text.format(delimiter).encode(encoding), "csv")
            assert row.values == {
                "sku": "A-1",
                "title": "Taplak “é”",
                "description": "satu\nbaris",
                "price": "1.250",
            }
    with pytest.raises(BadListingFile):
        read(b'SKU;Nama karya\r\nA-1;"' + b"x" * 200_000, "csv")
    for rubbish in (b"\x00\x01\x02\x03" * 100, b"halo", b"a;b\r\n1;2", b"\xff\xfe\x00"):
        with pytest.raises(BadListingFile):
            read(rubbish, "csv")


def test_cells_that_only_look_like_numbers_are_told_by_cell() -> None:
    made, sheet = book(
        ["A-1", "Taplak", "=1+1", "=1250*1000", 3],
        [123456789012, "Taplak", "", 1.25, datetime.date(2026, 11, 1)],
        ["1,25E+11", "Taplak", "", 0.5, "dua"],
        ["A-4", "Taplak", "", 1250000.0, True],
        ["A-5", "digabung", "", 5, 5],
        ["A-6", "Taplak", "", 5, 5],
    )
    sheet["D4"].number_format = "0%"
    sheet.merge_cells("B6:B7")
    first, second, third, fourth, fifth, sixth = read(saved(made))
    # Formulas that no spreadsheet has reckoned have no value to take.
    assert "D2" in wrong(first)["price"]
    assert "C2" in wrong(first)["description"]
    assert set(wrong(second)) == {"sku", "price", "stock"}
    assert {"sku", "price"} <= set(wrong(third))
    assert fourth.values["price"] == "1250000"
    assert "B6:B7" in wrong(fifth)["title"]
    assert "B6:B7" in wrong(sixth)["title"]
    content = saved(made)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet_xml = parts["xl/worksheets/sheet1.xml"]
    # With lxml at hand openpyxl writes an empty element otherwise.
    parts["xl/worksheets/sheet1.xml"] = re.sub(
        rb"<f>1250\*1000</f><v ?(?:/>|></v>)", b"<f>1250*1000</f><v>1250000</v>", sheet_xml
    )
    assert parts["xl/worksheets/sheet1.xml"] != sheet_xml
    reckoned = read(packed(parts))[0]
    assert reckoned.values["price"] == "1250000"
    assert "price" not in wrong(reckoned)
    assert any("D2" in remark["text"] and "1250000" in remark["text"] for remark in reckoned.remarks)


def packed(parts: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def test_ods_formulas_merged_and_percent_cells() -> None:
    cell = '<table:table-cell office:value-type="{}" {}><text:p>{}</text:p></table:table-cell>'
    text = 'table:number-rows-spanned="2" table:number-columns-spanned="1"'
    row = "".join(
        [
            cell.format("string", "", "A-1"),
            cell.format("string", text, "Taplak"),
            "<table:table-cell/>",
            cell.format("percentage", 'office:value="1"', "100%"),
            cell.format("float", 'office:value="7" table:formula="of:=3+4"', "7"),
        ]
    )
    plain_file = file_of([Table("Karya", HEADINGS, [])], "ods")
    with zipfile.ZipFile(io.BytesIO(plain_file)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    body = f"<table:table-row>{row}</table:table-row></table:table>".encode()
    parts["content.xml"] = parts["content.xml"].replace(b"</table:table>", body)
    [found] = read(packed(parts), "ods")
    assert set(wrong(found)) == {"title", "price"}
    assert "E2" in found.remarks[0]["text"]
    assert found.values["stock"] == "7"
    repeated = (
        b'<table:table-row table:number-rows-repeated="1000000">'
        + row.encode()
        + b"</table:table-row></table:table>"
    )
    parts["content.xml"] = parts["content.xml"].replace(body, repeated)
    assert "10.000" in refused(packed(parts), "ods")


def test_hidden_sheets_and_sheets_without_headings_are_passed_over() -> None:
    made, _sheet = book(["A-1", "Rahasia", "", 5, 5])
    made.worksheets[0].sheet_state = "hidden"
    made.create_sheet("Petunjuk").append(["Bagian", "Artinya"])
    listed = made.create_sheet("Daftar")
    listed.append([])
    listed.append(["", "Daftar karya kami"])
    listed.append(["", "SKU", "Nama karya", "Warna kesukaan"])
    listed.append(["", "A-2", "Taplak", "biru"])
    made.active = 1
    sheet = open_sheet(saved(made), "xlsx")
    headings, keys, rows = rows_of(sheet)
    assert (headings, keys) == (["", "SKU", "Nama karya", "Warna kesukaan"], [None, "sku", "title", None])
    assert [(row.number, row.values) for row in rows] == [(4, {"sku": "A-2", "title": "Taplak"})]
    assert "Sheet" in sheet.remarks[0]


def million(format: str) -> bytes:
    """A file that says a million rows."""
    if format == "csv":
        return b"SKU;Nama karya\r\n" + b"A;Taplak\r\n" * 1_000_000
    made, _sheet = book()
    with zipfile.ZipFile(io.BytesIO(saved(made))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    rows = b'<row><c t="n"><v>1</v></c></row>' * 1_000_000
    name = "xl/worksheets/sheet1.xml"
    parts[name] = parts[name].replace(b"</sheetData>", rows + b"</sheetData>")
    return packed(parts)


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_a_million_rows_are_refused_at_once_with_flat_memory(format: str) -> None:
    content = million(format)
    tracemalloc.start()
    begun = time.process_time()
    assert "10.000" in refused(content, format)
    took, peak = time.process_time() - begun, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert took < 2
    assert peak < (len(content) if format == "csv" else 0) + 12_000_000


def test_bombs_and_broken_workbooks_are_refused() -> None:
    made, sheet = book(["A-1", "Taplak", "", 5, 5])
    sheet["XFD1048576"] = "jauh"
    assert "jauh di luar" in refused(saved(made))
    bomb = packed({"xl/workbook.xml": b" " * 130_000_000})
    assert len(bomb) < 1_000_000
    assert "terlalu besar" in refused(bomb)
    lying = bytearray(bomb)
    for at in range(len(lying) - 4):
        if lying[at : at + 4] == b"PK\x01\x02":
            lying[at + 24 : at + 28] = (1000).to_bytes(4, "little")
    entities = b'<!DOCTYPE a [<!ENTITY b "c">]><office:document-content/>'
    for content, format in (
        (bytes(lying), "xlsx"),
        (b"PK\x03\x04 no zip", "xlsx"),
        (packed({"a": b"b"}), "ods"),
        (packed({"content.xml": entities}), "ods"),
        (saved(made)[:2000], "xlsx"),
    ):
        with pytest.raises(BadListingFile):
            read(content, format)


def test_zips_of_photos_are_opened_with_care() -> None:
    for content in (
        b"",
        b"PK no zip",
        packed({f"{n}.jpg": b"" for n in range(1001)}),
        packed({"a.jpg": b" " * 210_000_000}),
    ):
        with pytest.raises(BadArchive):
            open_archive(content)
    assert plain_name("Foto\\Hari Ini/../DEPAN.JPG ") == "depan.jpg"
    assert list(read_csv(b"a;b").rows) == [(1, ["a", "b"])]
