"""The bank's files and lines as finance's pages list them, and both sides of each account."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storefront.books.bank_accounts import mask
from storefront.books.standing import Standing
from storefront.extensions import db
from storefront.keyset import FIRST, Keyed, Order, Paged, Turn

LINE_STATES = ("open", "matched", "set_aside")

FILE_ROWS = """
    SELECT f.id, f.name, f.format, f.state, f.uploaded_at, u.name AS uploaded_by_name, t.name AS taken_by_name,
           f.taken_at, f.first_day, f.last_day, f.lines, f.lines_added, b.bank, b.number, {keys}
      FROM bank_files f
      JOIN bank_accounts b ON b.id = f.bank_account_id
      JOIN people u ON u.id = f.uploaded_by
      LEFT JOIN people t ON t.id = f.taken_by"""
#: Lines that wait for their job are open to people: nothing of them is known yet.
LINES = """
    SELECT l.id, l.booked_on, l.amount, l.hundredths, l.description, l.bank_reference,
           CASE WHEN l.state = 'announced' THEN 'matched' ELSE l.state END AS state, b.bank, b.number,
           l.set_aside_reason, p.name AS set_aside_by_name, l.match_id, o.number AS order_number, h.id AS held_id,
           {keys}
      FROM bank_lines l
      JOIN bank_accounts b ON b.id = l.bank_account_id
      LEFT JOIN people p ON p.id = l.set_aside_by
      LEFT JOIN payments y ON y.id = l.payment_id
      LEFT JOIN orders o ON o.id = y.order_id
      LEFT JOIN held_transfers h ON h.bank_line_id = l.id"""
LINE_TOTALS = "SELECT count(*), sum(l.amount)::bigint FROM bank_lines l"
#: What narrows the lines, by name. Only what is asked for becomes SQL, so that an index can answer.
LINE_FILTERS = {
    "id": "l.id = :id",
    "account": "l.bank_account_id = :account",
    "first": "l.booked_on >= :first",
    "last": "l.booked_on <= :last",
    "open": "(l.state = 'open') = :open",
    "matched": "(l.state IN ('announced', 'matched')) = :matched",
    "set_aside": "(l.state = 'set_aside') = :set_aside",
    "words": "strpos(lower(l.description || ' ' || l.bank_reference || ' ' || l.amount), lower(:words)) > 0",
}
#: Open ones first, then the latest; or by day or amount alone.
LINE_ORDERS = {
    "": Order((("(l.state = 'open')", "boolean"), ("l.booked_on", "date"), ("l.id", "bigint"))),
    "day": Order((("l.booked_on", "date"), ("l.id", "bigint")), descending=False),
    "-day": Order((("l.booked_on", "date"), ("l.id", "bigint"))),
    "amount": Order((("l.amount", "bigint"), ("l.id", "bigint")), descending=False),
    "-amount": Order((("l.amount", "bigint"), ("l.id", "bigint"))),
}
COUNTS = text(
    """
    SELECT CASE WHEN state = 'announced' THEN 'matched' ELSE state END AS state, count(*) AS number
      FROM bank_lines GROUP BY 1"""
)
STANDING = text(
    """
    SELECT 'lines' AS kind, count(*) AS count, sum(amount)::bigint AS amount, min(booked_on) AS since
      FROM bank_lines WHERE state = 'open'
    UNION ALL
    SELECT 'held', count(*), sum(amount - counted - returned)::bigint, accounting_date(min(held_at))
      FROM held_transfers WHERE counted + returned < amount
    UNION ALL
    SELECT 'returns', count(*), sum(amount)::bigint, accounting_date(min(asked_at))
      FROM bank_returns WHERE state = 'given'
    UNION ALL
    SELECT 'batches', count(DISTINCT b.id), sum(r.amount)::bigint, accounting_date(min(b.proposed_at))
      FROM return_batches b LEFT JOIN bank_returns r ON r.batch_id = b.id WHERE b.state = 'proposed'"""
)
MATCHED = text(
    """
    SELECT m.match_id, e.source, e.kind, e.effective_date AS day, p.amount, o.number AS order_number
      FROM bank_match_postings m
      JOIN postings p ON p.id = m.posting_id
      JOIN journal_entries e ON e.id = p.entry_id
      LEFT JOIN orders o ON o.id = e.order_id
     WHERE m.match_id = ANY (:ids) ORDER BY p.id"""
)
#: Lines and postings of an account; what is left on either side explains the difference to the rupiah.
SIDES = text(
    """
    SELECT b.id, b.bank, b.number,
           COALESCE((SELECT sum(amount * 100 + hundredths) FROM bank_lines WHERE bank_account_id = b.id), 0)::bigint
             AS lines,
           COALESCE((SELECT sum(amount * 100 + hundredths) FROM bank_lines
                      WHERE bank_account_id = b.id AND match_id IS NULL), 0)::bigint AS lines_left,
           (SELECT count(*) FROM bank_lines WHERE bank_account_id = b.id AND state = 'open') AS lines_open,
           COALESCE((SELECT sum(p.amount) FROM postings p JOIN accounts a ON a.id = p.account_id
                      WHERE a.bank_account_id = b.id), 0)::bigint AS booked,
           COALESCE((SELECT sum(p.amount) FROM postings p JOIN accounts a ON a.id = p.account_id
                      WHERE a.bank_account_id = b.id AND NOT EXISTS (
                            SELECT FROM bank_match_postings m WHERE m.posting_id = p.id)), 0)::bigint AS booked_left,
           f.opening, f.closing, f.last_day
      FROM bank_accounts b
      LEFT JOIN LATERAL (SELECT last_day, closing, (SELECT g.opening FROM bank_files g
                                 WHERE g.bank_account_id = b.id AND g.state = 'taken' AND g.opening IS NOT NULL
                                 ORDER BY g.first_day, g.id LIMIT 1) AS opening
                           FROM bank_files WHERE bank_account_id = b.id AND state = 'taken' AND closing IS NOT NULL
                          ORDER BY last_day DESC, id DESC LIMIT 1) f ON true
     WHERE b.facility_id IS NULL AND b.approved_at IS NOT NULL
     ORDER BY b.valid_from DESC, b.id DESC"""
)
@dataclass(frozen=True)
class FileRow:
    """A file that was uploaded and not discarded."""

    id: int
    name: str
    format: str
    state: str
    uploaded_at: datetime.datetime
    uploaded_by_name: str
    taken_by_name: str | None
    taken_at: datetime.datetime | None
    first_day: datetime.date | None
    last_day: datetime.date | None
    lines: int | None
    lines_added: int | None
    bank: str
    number: str

    @property
    def account(self) -> str:
        """The bank account, its number masked."""
        return f"{self.bank} {mask(self.number)}"


@dataclass(frozen=True)
class LineRow:
    """A line of the bank; `order_number` of the order that it was counted or held for."""

    id: int
    booked_on: datetime.date
    amount: int
    hundredths: int
    description: str
    bank_reference: str
    state: str
    bank: str
    number: str
    set_aside_reason: str | None
    set_aside_by_name: str | None
    match_id: int | None
    order_number: str | None
    held_id: int | None

    @property
    def account(self) -> str:
        return f"{self.bank} {mask(self.number)}"

    @property
    def exact(self) -> int:
        """In hundredths of a rupiah."""
        return self.amount * 100 + self.hundredths


@dataclass(frozen=True)
class MatchedEntry:
    """What a matched line is in the books."""

    match_id: int
    source: str
    kind: str
    day: datetime.date
    amount: int
    order_number: str | None


@dataclass(frozen=True)
class Sides:
    """An account as the bank and as the books see it. Hundredths where the bank speaks, rupiah where we do."""

    id: int
    bank: str
    number: str
    lines: int
    #: Of them, what is tied to nothing.
    lines_left: int
    lines_open: int
    booked: int
    #: Of them, what no line tells of.
    booked_left: int
    opening: int | None
    closing: int | None
    last_day: datetime.date | None

    @property
    def account(self) -> str:
        return f"{self.bank} {mask(self.number)}"

    @property
    def difference(self) -> int:
        """Bank less books, in hundredths; it is `lines_left` less `booked_left` to the last of them."""
        return self.lines - 100 * self.booked


FILES = Paged(
    FileRow,
    FILE_ROWS,
    "SELECT count(*), 0 FROM bank_files f",
    {"": Order((("(f.state = 'read')", "boolean"), ("f.id", "bigint")))},
    always="f.state <> 'discarded'",
)
LISTED_LINES = Paged(LineRow, LINES, LINE_TOTALS, LINE_ORDERS, LINE_FILTERS)


def files(turn: Turn = FIRST) -> Keyed[FileRow]:
    """Files that wait first, then the latest."""
    return FILES.page({}, turn)


def lines(
    *,
    state: str | None = None,
    account: int | None = None,
    first: datetime.date | None = None,
    last: datetime.date | None = None,
    words: str | None = None,
    sort: str = "",
    turn: Turn = FIRST,
) -> Keyed[LineRow]:
    """Lines of a state, an account, some days, or with these words; in one of `LINE_ORDERS`."""
    asked: dict[str, Any] = {"account": account, "first": first, "last": last, "words": words or None}
    return LISTED_LINES.page({**asked, **({state: True} if state else {})}, turn, sort=sort)


def line(line_id: int) -> LineRow:
    """One line. Raises LookupError."""
    found = LISTED_LINES.one({"id": line_id})
    if found is None:
        raise LookupError(line_id)
    return found


def counts() -> dict[str, int]:
    """Lines by state."""
    return dict.fromkeys(LINE_STATES, 0) | {row.state: row.number for row in db.session.execute(COUNTS)}


def standing() -> dict[str, Standing]:
    """Open lines, held transfers, money to send back by bank, and batches to approve."""
    rows = db.session.execute(STANDING).mappings()
    return {row["kind"]: Standing(row["count"], row["amount"], row["since"]) for row in rows}


def matched(match_ids: Sequence[int]) -> dict[int, list[MatchedEntry]]:
    """What these matches are in the books."""
    found: dict[int, list[MatchedEntry]] = {}
    for row in db.session.execute(MATCHED, {"ids": list(match_ids)}).mappings():
        found.setdefault(row["match_id"], []).append(MatchedEntry(**row))
    return found


def sides() -> list[Sides]:
    """The office's accounts, bank beside books."""
    return _rows(Sides, SIDES, {})


def _rows(make: type[Any], query: Any, values: dict[str, Any]) -> list[Any]:
    return [make(**row) for row in db.session.execute(query, values).mappings()]
