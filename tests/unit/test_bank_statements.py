"""A bank's file is read line by line, whatever its shape, and each fault is said with its line."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from storefront.bank import csv_file, mt940
from storefront.bank.csv_file import table_of
from storefront.bank.shape import Shape, checked, guess, names_of
from storefront.bank.statement import Statement, check, same_account
from storefront.bank.text import BadBankFile, decode, is_mt940, rows_of
from storefront.errors import Invalid
from tests import bank_samples as samples

TODAY = datetime.date(2026, 11, 20)


def read(content: str | bytes, shape: Shape | None = None) -> Statement:
    text = decode(content if isinstance(content, bytes) else content.encode())
    statement = mt940.read(text) if is_mt940(text) else csv_file.read(table_of(rows_of(text), shape), TODAY)
    check(statement, samples.ACCOUNT, TODAY)
    return statement


def sentences(statement: Statement) -> list[tuple[int | None, str]]:
    return [(fault.line, fault.sentence) for fault in statement.faults]


BARE_SHAPE = Shape(day="#1", amount="#2", mark="#3", texts=("#4",), style="marked")
AMERICAN = guess(rows_of(samples.MARK_COLUMN)[0].cells)


@pytest.mark.parametrize(
    ("content", "shape"),
    [
        (samples.MARKED, None),
        (samples.TWO_COLUMNS, None),
        (samples.SIGNED, None),
        (samples.SIGNED.encode("cp1252"), None),
        (b"\xef\xbb\xbf" + samples.TWO_COLUMNS.encode(), None),
        (samples.MARK_COLUMN, replace(AMERICAN, day_order="mdy")),
        (samples.BARE, BARE_SHAPE),
        (samples.MT940, None),
        (samples.MT940.replace("\n", "\r\n"), None),
    ],
)
def test_every_shape_tells_of_the_same_lines(content: str | bytes, shape: Shape | None) -> None:
    statement = read(content, shape)
    assert sentences(statement) == []
    found = [(line.day, line.amount) for line in statement.lines]
    assert found == [(day, amount) for day, amount, _ in samples.LINES]
    for line, (_, _, word) in zip(statement.lines, samples.LINES, strict=True):
        assert word in line.text


@pytest.mark.parametrize("content", [samples.MARKED, samples.TWO_COLUMNS, samples.MT940])
def test_opening_and_sum_make_the_closing(content: str) -> None:
    statement = read(content)
    assert (statement.opening, statement.closing) == (samples.OPENING, samples.CLOSING)
    assert statement.opening + statement.sum == statement.closing


def test_a_missing_line_is_found_by_the_balances() -> None:
    lines = samples.MT940.splitlines()
    del lines[8:10]
    (fault,) = sentences(read("\n".join(lines)))
    assert "Saldo tidak cocok" in fault[1]
    assert "850.000" in fault[1]


def test_a_missing_line_is_found_by_the_running_balance_and_named() -> None:
    lines = samples.TWO_COLUMNS.splitlines()
    del lines[2]
    (fault,) = sentences(read("\n".join(lines)))
    assert fault[0] == 3
    assert "1.300.000" in fault[1]


def test_references_are_kept() -> None:
    assert [line.reference for line in read(samples.TWO_COLUMNS).lines] == [
        "FT0001",
        "FT0002",
        "FT0003",
        "FT0004",
    ]
    assert [line.reference for line in read(samples.MT940).lines] == ["FT0001", "FT0002", "FT0003", ""]


def test_what_the_bank_has_not_booked_yet_is_passed_over_and_said() -> None:
    (note,) = read(samples.MARKED).notes
    assert note.line == 11
    assert "PEND" in note.sentence


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("03/11/26;03/11/26", "33/11/26;03/11/26", 3, "“33/11/26” tidak terbaca sebagai tanggal"),
        ("1.234.567,00;2", "1.234.56,00;2", 3, "tidak terbaca sebagai uang"),
        ("850.000,00;0,00", "850.000,00;850.000,00", 4, "tidak terbaca sebagai uang"),
        ("850.000,00;0,00", "seribu;0,00", 4, "tidak terbaca sebagai uang"),
        ("1,00;2.534.568,00", "1,00;banyak", 2, "Saldo “banyak”"),
        ("04/11/26;04/11/26", "04/12/26;04/11/26", 2, "belum tiba"),
    ],
)
def test_a_fault_is_told_with_its_line(old: str, new: str, line: int, words: str) -> None:
    assert old in samples.TWO_COLUMNS
    found = sentences(read(samples.TWO_COLUMNS.replace(old, new, 1)))
    assert any(where == line and words in sentence for where, sentence in found), found


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        (":61:2611031103C1234567,00", ":61:2611331103C1234567,00", 11, "tidak terbaca"),
        (":61:2611031103C1234567,00", ":61:2611031103X1234567,00", 11, "tidak terbaca"),
        (":61:2611031103C", ":61:2611031399C", 11, "kalender"),
        (":60F:C261101IDR", ":60F:C261101USD", 5, "USD"),
        (":60F:C261101IDR2000000,00", ":60F:C261101IDR", 5, "Saldo ini tidak terbaca"),
        (":25:CONTIDJA/1110001112", ":25:CONTIDJA/9990001112", None, "9990001112"),
    ],
)
def test_a_fault_in_mt940_is_told_with_its_line(old: str, new: str, line: int | None, words: str) -> None:
    found = sentences(read(samples.MT940.replace(old, new, 1)))
    assert any(where == line and words in sentence for where, sentence in found), found


@pytest.mark.parametrize(("tag", "words"), [(":60F:", "saldo awal"), (":62F:", "terpotong")])
def test_an_mt940_that_was_cut_off_is_refused(tag: str, words: str) -> None:
    lines = [line for line in samples.MT940.splitlines() if not line.startswith(tag)]
    assert words in sentences(read("\n".join(lines)))[0][1]


def test_a_reversal_turns_the_sign_around() -> None:
    text = samples.MT940.replace(":61:2611041104C1,", ":61:2611041104RC1,").replace(
        "2534568,00\n:86:T", "2534566,00\n:86:T"
    )
    assert read(text).lines[-1].amount == -100
    assert sentences(read(text)) == []


def test_statements_in_one_file_follow_on_each_other() -> None:
    day = datetime.date(2026, 11, 5)
    one = samples.mt940_of(samples.Movement(day, 1_000, "A"), opening=5_000)
    two = samples.mt940_of(samples.Movement(day, -400, "B"), opening=6_000)
    statement = read(one + two)
    assert (statement.opening, statement.closing) == (500_000, 560_000)
    assert [(line.amount, line.text) for line in statement.lines] == [(100_000, "A"), (-40_000, "B")]
    torn = read(one + samples.mt940_of(samples.Movement(day, -400, "B"), opening=7_000))
    assert any("laporan yang hilang" in sentence for _, sentence in sentences(torn))


def test_a_day_of_last_year_in_a_january_statement() -> None:
    text = samples.MT940.replace(":61:2611021102C", ":61:2601021231C", 1)
    assert read(text).lines[0].day == datetime.date(2025, 12, 31)


def test_another_accounts_csv_is_refused() -> None:
    (fault,) = sentences(
        read(samples.MARKED.replace("No. rekening : 1110001112", "No. rekening : 7770001112"))
    )
    assert "7770001112" in fault[1]


@pytest.mark.parametrize(
    ("found", "same"),
    [
        ("1110001112", True),
        ("0001110001112", True),
        ("1110001112360", True),
        ("1112", False),
        ("2220001112", False),
    ],
)
def test_an_account_is_known_with_zeros_and_codes_around_it(found: str, same: bool) -> None:
    assert same_account(found, samples.ACCOUNT) is same


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Pilih berkas"),
        (b"PK\x03\x04rest", "Excel"),
        (b"%PDF-1.7", "PDF"),
        (b"a,b\x00c", "bukan teks"),
        (b"x" * (5 * 1024 * 1024 + 1), "5 MB"),
    ],
)
def test_what_is_no_text_is_refused_with_what_to_do(content: bytes, words: str) -> None:
    with pytest.raises(BadBankFile) as refused:
        decode(content)
    assert words in str(refused.value.message)


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(BadBankFile) as refused:
        rows_of("Yth. Bapak dan Ibu,\nterlampir rekening koran.\n")
    assert "bukan tabel" in str(refused.value.message)


def test_an_unknown_header_asks_for_the_columns() -> None:
    (fault, *_rest) = sentences(read("Eins,Zwei,Drei\n1,2,3\n"))
    assert "Pilih dahulu kolom" in fault[1]


def test_a_kept_shape_is_used_although_columns_moved() -> None:
    shape = guess(rows_of(samples.TWO_COLUMNS)[0].cells)
    moved = (
        "Credit;Debit;Balance;Date;Description;Description;Reference No.\n"
        + "150.000,00;;2.150.000,00;02/11/26;TRANSFER;SARI;FT1\n"
    )
    (line,) = read(moved, shape).lines
    assert (line.amount, line.text, line.reference) == (15_000_000, "TRANSFER SARI", "FT1")


def test_columns_of_one_name_are_told_apart() -> None:
    assert names_of(["Tanggal", "", "Ket", "Ket"]) == ["Tanggal", "#2", "Ket", "Ket #4"]


@pytest.mark.parametrize(
    ("shape", "fields"),
    [
        (Shape(), {"day", "out", "into", "texts"}),
        (Shape(day="A", texts=("B",), style="signed", amount="A"), {"day"}),
        (Shape(day="A", texts=("Z",), style="signed", amount="C"), {"texts"}),
        (Shape(day="A", texts=("B",), style="odd", amount="C"), {"style"}),
        (Shape(day="A", texts=("B",), style="marked", amount="C", day_order="ydm"), {"mark", "day_order"}),
        (Shape(day="A", texts=("B",), style="signed", amount="C", balance="Z"), {"balance"}),
    ],
)
def test_a_shape_that_cannot_be_is_refused_by_field(shape: Shape, fields: set[str]) -> None:
    with pytest.raises(Invalid) as refused:
        checked(shape, ["A", "B", "C"])
    assert set(refused.value.errors) == fields


def test_a_comma_within_quotes_and_a_line_within_a_cell_do_not_shift_the_numbers() -> None:
    text = 'Tanggal,Uraian,Nominal\n02/11/2026,"satu, dua\ntiga",1000\nsalah,x,2000\n'
    statement = read(text)
    assert statement.lines[0].text == "satu, dua tiga"
    assert sentences(statement)[0][0] == 4
