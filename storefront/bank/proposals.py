"""What an open line of the bank might be: proposals for a person, the likeliest first. Reads only."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import TextClause, text

from storefront.bank.from_line import reference_of
from storefront.bank.known_entries import SHORTEST_NAME, Booked, squeezed, untied
from storefront.bank.models import BankLine
from storefront.extensions import db
from storefront.payments.transfer import codes_in

#: Proposals for one line.
MOST = 5
#: Days by which bank and books may tell of the same money.
NEAR = 10
#: Days for which a payment that was not paid in time is still proposed.
LATE = 30

PAYMENTS = text(
    """
    SELECT p.id, p.amount, o.number AS label, t.code AS name, accounting_date(p.created_at) AS day, p.state
      FROM payments p JOIN orders o ON o.id = p.order_id JOIN transfers t ON t.id = p.id
     WHERE t.code = ANY (CAST(:names AS text[]))
        OR (p.amount = ANY (CAST(:amounts AS bigint[])) AND t.state <> 'succeeded' AND t.code IS NOT NULL
            AND p.created_at >= CAST(:since AS timestamptz))
     ORDER BY p.created_at DESC LIMIT 200"""
)
SETTLEMENTS = text(
    """
    SELECT s.id::text, -s.amount AS amount, f.code || ' · ' || COALESCE(u.finance_name, '') AS label,
           b.number AS name, accounting_date(s.approved_at) AS day, s.state
      FROM settlements s
      JOIN facilities f ON f.id = s.facility_id
      JOIN bank_accounts b ON b.id = s.bank_account_id
      LEFT JOIN funds u ON u.id = s.fund_id
     WHERE s.state = 'approved' AND s.amount = ANY (CAST(:amounts AS bigint[])) ORDER BY s.id LIMIT 200"""
)
DEPOSITS = text(
    """
    SELECT d.id::text, -d.amount AS amount, f.code AS label, d.billing_code AS name,
           accounting_date(d.approved_at) AS day, d.state
      FROM deposits d JOIN facilities f ON f.id = d.facility_id
     WHERE d.state = 'approved' AND d.billing_code IS NOT NULL AND d.amount = ANY (CAST(:amounts AS bigint[]))
     ORDER BY d.id LIMIT 200"""
)
RETURNS = text(
    """
    SELECT r.id::text, -r.amount AS amount, o.number AS label, a.number AS name,
           accounting_date(c.approved_at) AS day, r.state
      FROM bank_returns r
      JOIN orders o ON o.id = r.order_id
      JOIN return_batches c ON c.id = r.batch_id
      LEFT JOIN return_accounts a ON a.return_id = r.id
     WHERE r.state = 'approved' AND r.amount = ANY (CAST(:amounts AS bigint[])) ORDER BY r.id LIMIT 200"""
)
#: Cash that was counted in a closed session and is not banked yet, or all that the books say is left of it.
TILLS = text(
    """
    SELECT s.id::text, m.left_in_till,
           least(greatest(s.counted - s.opening_float + m.late_sales - m.banked, 0), m.left_in_till) AS counted,
           x.name || ' · ' || t.name AS label, accounting_date(s.opened_at) AS since,
           accounting_date(s.closed_at) AS day
      FROM till_session_sums m
      JOIN till_sessions s ON s.id = m.session_id
      JOIN tills t ON t.id = s.till_id
      JOIN exhibitions x ON x.id = s.exhibition_id
     WHERE s.closed_at IS NOT NULL AND m.left_in_till > 0 ORDER BY s.closed_at DESC LIMIT 500"""
)
#: What marketplaces still hold, less their fees.
MARKETS = text(
    """
    SELECT a.gateway AS id, m.name AS label, h.held
      FROM marketplaces m
      JOIN accounts a ON a.code = 'clearing:market_' || m.code
      JOIN LATERAL (SELECT sum(p.amount)::bigint AS held FROM postings p WHERE p.account_id = a.id) h ON h.held > 0
     ORDER BY m.name"""
)


@dataclass(frozen=True)
class Proposal:
    """What a line might be: an `entry` of the books, an approved `settlement`, `deposit` or `return`, a `payment`
    by transfer, cash of a `till`, a `payout` of a marketplace; or an `entry_differs` or `payment_differs`, which is
    called by name but is another amount."""

    kind: str
    id: str
    #: Ours, as the bank would write it.
    amount: int
    #: For people: an order's number, a facility's code, an entry's source.
    label: str
    day: datetime.date
    #: Its name stands in the bank's words.
    is_named: bool
    #: What the bank says less what we say.
    difference: int = 0
    entry_kind: str = ""
    #: How the bank calls the line, where what it is will be found by that name.
    reference: str = ""


def for_lines(lines: Sequence[BankLine]) -> dict[int, list[Proposal]]:
    """Proposals for each of these open lines, by their ids."""
    whole = [line for line in lines if line.state == "open" and not line.hundredths]
    found: dict[int, list[Proposal]] = {line.id: [] for line in lines}
    if not whole:
        return found
    for account_id in {line.bank_account_id for line in whole}:
        own = [line for line in whole if line.bank_account_id == account_id]
        booked = untied(account_id)
        for line in own:
            found[line.id] += _entries(line, booked)
    came, went = [line for line in whole if line.amount > 0], [line for line in whole if line.amount < 0]
    _payments(came, found)
    _cash(came, found)
    _from_markets(came, found)
    for kind, query in (("settlement", SETTLEMENTS), ("deposit", DEPOSITS), ("return", RETURNS)):
        _money_out(kind, query, went, found)
    return {line_id: sorted(rows, key=_likelihood)[:MOST] for line_id, rows in found.items()}


def words_of(line: BankLine) -> str:
    """All that the bank says of a line."""
    return f"{line.description} {line.bank_reference}"


def _likelihood(row: Proposal) -> tuple[bool, bool]:
    return row.difference != 0, not row.is_named


def _entries(line: BankLine, booked: Iterable[Booked]) -> list[Proposal]:
    rows = []
    for one in booked:
        named = one.is_named_in(words_of(line))
        near = abs((one.day - line.booked_on).days) <= NEAR
        if one.amount == line.amount and (named or near):
            kind = "entry"
        elif named and one.amount * line.amount > 0:
            kind = "entry_differs"
        else:
            continue
        rows.append(
            Proposal(
                kind,
                str(one.posting_id),
                one.amount,
                one.source,
                one.day,
                named,
                line.amount - one.amount,
                one.kind,
            )
        )
    return rows


def _payments(lines: Sequence[BankLine], found: dict[int, list[Proposal]]) -> None:
    if not lines:
        return
    names = {line.id: codes_in(words_of(line)) for line in lines}
    values = {
        "names": sorted({name for own in names.values() for name in own}),
        "amounts": sorted({line.amount for line in lines}),
        "since": min(line.booked_on for line in lines) - datetime.timedelta(days=LATE),
    }
    rows = db.session.execute(PAYMENTS, values).all()
    for line in lines:
        for row in rows:
            named = row.name in names[line.id]
            if row.amount != line.amount and not named:
                continue
            kind = "payment" if row.amount == line.amount else "payment_differs"
            found[line.id].append(
                Proposal(kind, row.id, row.amount, row.label, row.day, named, line.amount - row.amount)
            )


def _cash(lines: Sequence[BankLine], found: dict[int, list[Proposal]]) -> None:
    for row in db.session.execute(TILLS).all() if lines else ():
        for line in lines:
            if line.amount in (row.counted, row.left_in_till) and row.since <= line.booked_on:
                found[line.id].append(Proposal("till", row.id, line.amount, row.label, row.day, False))


def _from_markets(lines: Sequence[BankLine], found: dict[int, list[Proposal]]) -> None:
    """A marketplace passes on all that it holds, or, when the bank calls it by name, a part of that."""
    for row in db.session.execute(MARKETS).all() if lines else ():
        for line in lines:
            named = _is_named(squeezed(row.label), squeezed(words_of(line)))
            if line.amount == row.held or (named and line.amount < row.held):
                found[line.id].append(
                    Proposal(
                        "payout", row.id, line.amount, row.label, line.booked_on, named, reference=reference_of(line)
                    )
                )


def _money_out(
    kind: str, query: TextClause, lines: Sequence[BankLine], found: dict[int, list[Proposal]]
) -> None:
    if not lines:
        return
    rows: Sequence[Any] = db.session.execute(
        query, {"amounts": sorted({-line.amount for line in lines})}
    ).all()
    for line in lines:
        words = squeezed(words_of(line))
        found[line.id] += [
            Proposal(kind, row.id, row.amount, row.label.strip(" ·"), row.day, _is_named(row.name, words))
            for row in rows
            if row.amount == line.amount and row.day <= line.booked_on
        ]


def _is_named(name: str | None, words: str) -> bool:
    return name is not None and len(name) >= SHORTEST_NAME and name in words
