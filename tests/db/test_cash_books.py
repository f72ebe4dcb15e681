"""The treasurer's books of the demo: every month of every book opens, moves and closes as the postings say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from storefront.books import span as spans
from storefront.extensions import db
from storefront.keyset import Turn
from storefront.reports import cash_book
from storefront.reports.cash_book import GENERAL, IN_HAND, Books, CashBook, Line, books
from storefront.reports.statement import Connection, statement
from storefront.snapshot import driver_connection

FACILITIES = """
    SELECT facility_id FROM accounts a JOIN postings p ON p.account_id = a.id WHERE facility_id IS NOT NULL
     GROUP BY 1 ORDER BY count(*) DESC"""
MONTHS = "SELECT DISTINCT date_trunc('month', effective_date)::date FROM journal_entries ORDER BY 1"
#: What was posted on the accounts of a book until a day, told without the book's own SQL.
POSTED = "SELECT COALESCE(sum(amount), 0)::bigint FROM postings WHERE account_id = ANY (%s) AND effective_date <= %s"


def accounts_of(found: Books, code: str) -> list[int]:
    if code == GENERAL:
        wanted = set(found.parts.values()) if found.facility_id is not None else set(IN_HAND)
    else:
        wanted = {code}
    return [account for account, part in found.parts.items() if part in wanted]


def test_every_book_of_every_month_says_what_the_postings_say(demo_session: Session, demo_app: Flask) -> None:
    connection = driver_connection(db.session.connection())
    months = [row[0] for row in connection.execute(MONTHS).fetchall()]
    facilities = [row[0] for row in connection.execute(FACILITIES).fetchall()]
    assert len(months) > 10
    checked = 0
    for facility_id in [None, *facilities]:
        sign, closing = (1 if facility_id is None else -1), dict[str, int]()
        for month in months:
            span = spans.month(month)
            found = books(connection, facility_id, span)
            for sums in found.sums:
                posted = connection.execute(POSTED, [accounts_of(found, sums.code), span.last]).fetchone()
                assert posted is not None
                assert sums.closing == sign * posted[0]
                assert sums.opening == closing.get(sums.code, 0)
                closing[sums.code] = sums.closing
                checked += 1
            if facility_id is not None:
                told = statement(connection, facility_id, span)
                assert (found.of(GENERAL).opening, found.of(GENERAL).closing) == (
                    sum(told.opening.values()), sum(told.closing.values()),
                )  # fmt: skip
    assert checked > 100


@pytest.mark.parametrize("office", [True, False])
def test_the_balance_runs_from_the_opening_to_the_closing(
    demo_session: Session, office: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cash_book, "PAGE", 7)
    connection = driver_connection(db.session.connection())
    (facility_id,) = connection.execute(FACILITIES).fetchone() or (0,)
    (month,) = connection.execute(MONTHS + " DESC OFFSET 2 LIMIT 1").fetchone() or (None,)
    found = books(connection, None if office else facility_id, spans.month(month))
    for code in found.codes:
        book = found.book(code)
        lines = book.lines(connection, limit=100_000)
        balance = book.sums.opening
        for line in lines:
            balance += line.debit - line.credit
            assert line.balance == balance
        assert balance == book.sums.closing
        assert sum(one.debit for one in lines) == book.sums.debit
        assert sum(one.credit for one in lines) == book.sums.credit
        assert book.count(connection) == len(lines)
        assert list(_turned(book, connection)) == lines


def _turned(book: CashBook, connection: Connection) -> Iterator[Line]:
    """Its lines, page by page to the end and back to the first."""
    page, firsts = book.page(connection), []
    while True:
        yield from page.rows
        firsts.append(page.rows[:1])
        if page.older is None:
            break
        page = book.page(connection, Turn(older=page.older))
    for first in reversed(firsts[:-1]):
        page = book.page(connection, Turn(newer=page.newer))
        assert page.rows[:1] == first
    assert page.is_first
