"""The path to a month's end, step by step, as somebody walks it who does it for the first time.

Each step says what is done and what is missing, counted and summed. The checklist (`checklist.py`) alone decides
whether a month may be closed; what it does not ask for is said here and holds nothing up.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from storefront import days
from storefront.books import deposits, settlements
from storefront.books.span import month as whole_month
from storefront.closing.checklist import Point
from storefront.extensions import db

#: Office accounts that money moved on in the month, and how far the bank's files tell of them.
BANK = text(
    """
    SELECT b.id, COALESCE((SELECT max(f.last_day) FROM bank_files f
                            WHERE f.bank_account_id = b.id AND f.state = 'taken') >= :last, false) AS is_whole
      FROM bank_accounts b
     WHERE b.facility_id IS NULL AND EXISTS (
           SELECT FROM accounts a JOIN postings p ON p.account_id = a.id
            WHERE a.bank_account_id = b.id AND p.effective_date BETWEEN :first AND :last)"""
)
#: Number and sum of what each fact counts; `after` is the first moment behind the month.
COUNTED = text(
    """
    SELECT 'bank_lines' AS code, count(*) AS number, COALESCE(sum(abs(amount)), 0)::bigint AS amount FROM bank_lines
     WHERE booked_on BETWEEN :first AND :last
    UNION ALL
    SELECT 'lines_open', count(*), COALESCE(sum(abs(amount)), 0) FROM bank_lines
     WHERE state IN ('open', 'announced') AND booked_on <= :last
    UNION ALL
    SELECT 'lines_matched', count(*), COALESCE(sum(abs(amount)), 0) FROM bank_lines
     WHERE state IN ('matched', 'set_aside') AND booked_on BETWEEN :first AND :last
    UNION ALL
    SELECT 'held', count(*), COALESCE(sum(h.amount - h.counted - h.returned), 0) FROM held_transfers h
     WHERE h.held_at < :after AND h.counted + h.returned < h.amount AND NOT EXISTS (
           SELECT FROM bank_returns r WHERE r.held_id = h.id)
    UNION ALL
    SELECT 'refunds_' || s.state, count(r.id), COALESCE(sum(r.amount), 0)
      FROM (VALUES ('proposed'), ('failed'), ('by_bank')) s (state)
      LEFT JOIN refunds r ON r.state = s.state AND r.requested_at < :after
     GROUP BY s.state
    UNION ALL
    SELECT 'refunds_done', count(*), COALESCE(sum(r.amount), 0) FROM refunds r
     WHERE r.state = 'succeeded' AND EXISTS (
           SELECT FROM journal_entries e WHERE e.source = 'refund:' || r.id || '\\:succeeded'
              AND e.effective_date BETWEEN :first AND :last)
    UNION ALL
    SELECT 'settlements_' || s.state, count(t.id), COALESCE(sum(t.amount - already_transferred(t.id)), 0)
      FROM (VALUES ('proposed'), ('approved')) s (state)
      LEFT JOIN settlements t ON t.state = s.state AND t.proposed_at < :after
     GROUP BY s.state
    UNION ALL
    SELECT 'settlements_no_file', count(*), COALESCE(sum(t.amount), 0) FROM settlements t
     WHERE t.state = 'approved' AND t.bank_account_id IS NOT NULL AND NOT EXISTS (
           SELECT FROM payment_file_lines l WHERE l.settlement_id = t.id AND l.is_living)
    UNION ALL
    SELECT 'settlements_paid', count(*), COALESCE(sum(COALESCE(transferred, amount)), 0) FROM settlements
     WHERE state = 'paid' AND paid_on BETWEEN :first AND :last
    UNION ALL
    SELECT 'deposits_proposed', count(*), COALESCE(sum(amount), 0) FROM deposits
     WHERE state = 'proposed' AND proposed_at < :after
    UNION ALL
    SELECT 'deposits_no_code', count(*), COALESCE(sum(amount), 0) FROM deposits
     WHERE state = 'approved' AND billing_code IS NULL AND proposed_at < :after
    UNION ALL
    SELECT 'deposits_no_ntpn', count(*), COALESCE(sum(amount), 0) FROM deposits
     WHERE state = 'approved' AND billing_code IS NOT NULL AND proposed_at < :after
    UNION ALL
    SELECT 'deposits_no_proof', count(*), COALESCE(sum(amount), 0) FROM deposits
     WHERE state = 'paid' AND proof_key IS NULL AND paid_on BETWEEN :first AND :last
    UNION ALL
    SELECT 'deposits_paid', count(*), COALESCE(sum(amount), 0) FROM deposits
     WHERE state = 'paid' AND paid_on BETWEEN :first AND :last
    UNION ALL
    SELECT 'statements', count(DISTINCT a.facility_id), COALESCE(-sum(p.amount) FILTER (WHERE e.kind = 'sale'), 0)
      FROM accounts a JOIN postings p ON p.account_id = a.id JOIN journal_entries e ON e.id = p.entry_id
     WHERE a.facility_id IS NOT NULL AND p.effective_date BETWEEN :first AND :last
       AND e.effective_date BETWEEN :first AND :last"""
)
#: What a step shows: facts that must be none for it to be done, those that are worth knowing, and what was done.
MISSING = {
    "bank": ("bank_not_whole",),
    "lines": ("lines_open", "held"),
    "provider": ("events", "reconciled", "clearing"),
    "refunds": ("refunds_proposed", "refunds_failed", "refunds_by_bank", "refunds_stuck"),
    "settlements": ("settlements_proposed", "settlements_approved"),
    "deposits": ("deposits_due", "deposits_proposed", "deposits_no_code", "deposits_no_ntpn", "deposits_no_proof"),
    "statements": (),
    "close": ("not_clean",),
}
KNOWN = {"settlements": ("settlements_no_file", "settlements_free")}
DONE = {
    "bank": ("bank_lines",),
    "lines": ("lines_matched",),
    "refunds": ("refunds_done",),
    "settlements": ("settlements_paid",),
    "deposits": ("deposits_paid",),
    "statements": ("statements",),
}


@dataclass(frozen=True)
class Fact:
    """How many of something there are, and their sum in rupiah; None: they have none."""

    code: str
    number: int
    amount: int | None = None


@dataclass(frozen=True)
class Step:
    """One step of the path."""

    code: str
    is_done: bool
    missing: Sequence[Fact]
    known: Sequence[Fact]
    done: Sequence[Fact]


def path(month: datetime.date, points: Sequence[Point]) -> list[Step]:
    """The steps to the end of the month that begins on `month`, in their order; `points` is its checklist.

    Of a closed month, which has no checklist any more, what happened in it and what is still missing today.
    """
    found = {fact.code: fact for fact in _facts(month, points)}

    def shown(codes: Sequence[str]) -> list[Fact]:
        return [found[code] for code in codes if found[code].number]

    return [
        Step(code, not shown(missing), shown(missing), shown(KNOWN.get(code, ())), shown(DONE.get(code, ())))
        for code, missing in MISSING.items()
    ]


def _facts(month: datetime.date, points: Sequence[Point]) -> list[Fact]:
    span = whole_month(month)
    after = days.begins(span.last + datetime.timedelta(days=1))
    values = {"first": span.first, "last": span.last, "after": after}
    counted = [Fact(row.code, row.number, int(row.amount)) for row in db.session.execute(COUNTED, values)]
    bank = db.session.execute(BANK, values).all()
    points_by = {point.code: point for point in points}
    free = [row for row in settlements.available(None) if row.free > 0 and (row.account or row.by_transfer)]
    due = [row for row in deposits.waiting(None) if row.oldest <= span.last and row.due_on <= days.today()]
    return [
        *counted,
        Fact("bank_not_whole", sum(not row.is_whole for row in bank)),
        *(Fact(code, _open(points_by, code)) for code in ("events", "reconciled", "clearing")),
        Fact("refunds_stuck", _open(points_by, "refunds")),
        Fact("settlements_free", len(free), sum(row.free for row in free)),
        Fact("deposits_due", len(due), sum(row.amount for row in due)),
        Fact("not_clean", sum(not point.is_clean and not point.can_be_named for point in points)),
    ]


def _open(points: dict[str, Point], code: str) -> int:
    point = points.get(code)
    return 0 if point is None else point.count
