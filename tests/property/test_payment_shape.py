"""The file of payments for the bank, whatever its form: every account and rupiah in it, and nothing else."""

from __future__ import annotations

import csv
import datetime
import io

from hypothesis import given
from hypothesis import strategies as st

from storefront.bank.payment_shape import (
    AMOUNTS,
    DAYS,
    DELIMITERS,
    FORMULA,
    NEEDED,
    SOURCES,
    FileColumn,
    Payment,
    Shape,
    checked,
    write,
)

#: What people write: quotes, delimiters, line ends, formulas, letters of anywhere.
TEXTS = st.text(max_size=30) | st.sampled_from(["=HYPERLINK(1)", "+62", "-", "@x", 'a"b', "a;b,c|d\te", "a\r\nb"])
ACCOUNTS = st.text("0123456789", min_size=5, max_size=20)
PAYMENTS = st.lists(
    st.builds(Payment, ACCOUNTS, TEXTS, TEXTS, st.integers(1, 10**12), TEXTS, TEXTS, TEXTS, TEXTS),
    min_size=1,
    max_size=20,
)


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    others = [name for name in SOURCES if name not in NEEDED]
    sources = draw(st.permutations([*NEEDED, *draw(st.lists(st.sampled_from(others), max_size=8))]))
    line = st.sampled_from(["", "H|{rekening}|{tanggal}|{banyak}|{jumlah}", "T|{banyak}|{jumlah}", "=AKHIR|{jumlah}"])
    return Shape(
        tuple(FileColumn(name, draw(TEXTS), draw(TEXTS)) for name in sources),
        draw(st.sampled_from(sorted(DELIMITERS))),
        draw(st.sampled_from(AMOUNTS)),
        draw(st.sampled_from(sorted(DAYS))),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(line),
        draw(line),
    )


def rupiah(cell: str) -> int:
    whole, _, rest = cell.partition(".")
    assert rest in ("", "00")
    return int(whole)


@given(shapes(), PAYMENTS)
def test_the_file_pays_exactly_what_was_agreed(shape: Shape, payments: list[Payment]) -> None:
    day = datetime.date(2026, 11, 28)
    content = write(checked(shape), payments, own_account="0001234567", pay_on=day)
    assert content == write(Shape.of(shape.kept()), payments, own_account="0001234567", pay_on=day)
    rows = list(csv.reader(io.StringIO(content.decode(), newline=""), delimiter=DELIMITERS[shape.delimiter]))
    body = rows[bool(shape.first) + shape.headings : len(rows) - bool(shape.last)]
    place = {column.source: at for at, column in enumerate(shape.columns)}
    total = sum(payment.amount for payment in payments)
    assert [row[place["account"]] for row in body] == [payment.account for payment in payments]
    assert sum(rupiah(row[place["amount"]]) for row in body) == total
    assert [rupiah(row[place["amount"]]) for row in body] == [payment.amount for payment in payments]
    for line, row in ((shape.first, rows[0]), (shape.last, rows[-1])):
        if line:
            assert rupiah(row[line.split("|").index("{jumlah}")]) == total
            assert "{banyak}" not in line or row[line.split("|").index("{banyak}")] == str(len(payments))
    assert not any(cell[:1] in FORMULA for row in rows for cell in row if cell)
