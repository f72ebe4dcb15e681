"""Money that is a shopper's, as finance's pages list it: held transfers, and what goes back by bank, in batches."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storefront.extensions import db
from storefront.keyset import FIRST, Keyed, Order, Paged, Turn

RETURN_STATES = ("asked", "given", "proposed", "approved", "paid")

HELD = text(
    """
    SELECT h.id, h.amount, h.counted, h.returned, h.held_at, h.bank_line_id, l.booked_on, h.payment_id,
           y.amount AS asked, y.state AS payment_state, t.state AS transfer_state, o.number AS order_number,
           s.status AS order_status, r.id AS return_id, r.state AS return_state, h.payment_id AS of_payment
      FROM held_transfers h
      JOIN bank_lines l ON l.id = h.bank_line_id
      JOIN payments y ON y.id = h.payment_id
      JOIN orders o ON o.id = h.order_id
      JOIN order_status s ON s.order_id = o.id
      LEFT JOIN transfers t ON t.id = y.id
      LEFT JOIN bank_returns r ON r.held_id = h.id
     WHERE (:all OR h.counted + h.returned < h.amount)
       AND (CAST(:line AS bigint) IS NULL OR h.bank_line_id = CAST(:line AS bigint))
     ORDER BY o.id DESC, h.payment_id, h.id LIMIT 200"""
)
RETURN_ROWS = """
    SELECT r.id, o.number AS order_number, r.amount, r.state, r.refund_id, r.held_id, r.asked_at, r.times_asked,
           r.batch_id, r.paid_on, r.bank_reference, p.name AS paid_by_name, a.bank, a.number, a.holder, a.given_at,
           f.reason, {keys}
      FROM bank_returns r
      JOIN orders o ON o.id = r.order_id
      LEFT JOIN refunds f ON f.id = r.refund_id
      LEFT JOIN return_accounts a ON a.return_id = r.id
      LEFT JOIN people p ON p.id = r.paid_by"""
BATCHES = text(
    """
    SELECT b.id, b.state, b.proposed_by, p.name AS proposed_by_name, b.proposed_at, a.name AS approved_by_name,
           b.approved_at, x.name AS rejected_by_name, b.rejected_at, count(r.id) AS number,
           COALESCE(sum(r.amount), 0)::bigint AS amount, count(r.id) FILTER (WHERE r.state = 'paid') AS paid
      FROM return_batches b
      JOIN people p ON p.id = b.proposed_by
      LEFT JOIN people a ON a.id = b.approved_by
      LEFT JOIN people x ON x.id = b.rejected_by
      LEFT JOIN bank_returns r ON r.batch_id = b.id
     WHERE CAST(:id AS bigint) IS NULL OR b.id = CAST(:id AS bigint)
     GROUP BY b.id, p.name, a.name, x.name ORDER BY b.state <> 'proposed', b.id DESC LIMIT 50"""
)


@dataclass(frozen=True)
class HeldRow:
    """A held transfer with the payment that it was meant for."""

    id: int
    amount: int
    counted: int
    returned: int
    held_at: datetime.datetime
    bank_line_id: int
    booked_on: datetime.date
    payment_id: str
    asked: int
    payment_state: str
    transfer_state: str | None
    order_number: str
    order_status: str
    return_id: int | None
    return_state: str | None
    of_payment: str

    @property
    def left(self) -> int:
        return self.amount - self.counted - self.returned

    @property
    def is_free(self) -> bool:
        """Nobody has decided on it."""
        return self.counted == 0 and self.return_id is None


@dataclass(frozen=True)
class ReturnRow:
    """Money that goes back by bank, with the account while there is one: for finance alone."""

    id: int
    order_number: str
    amount: int
    state: str
    refund_id: int | None
    held_id: int | None
    asked_at: datetime.datetime
    times_asked: int
    batch_id: int | None
    paid_on: datetime.date | None
    bank_reference: str | None
    paid_by_name: str | None
    bank: str | None
    number: str | None
    holder: str | None
    given_at: datetime.datetime | None
    #: The refund's.
    reason: str | None


@dataclass(frozen=True)
class BatchRow:
    """A batch with the number and sum of its returns."""

    id: int
    state: str
    proposed_by: int
    proposed_by_name: str
    proposed_at: datetime.datetime
    approved_by_name: str | None
    approved_at: datetime.datetime | None
    rejected_by_name: str | None
    rejected_at: datetime.datetime | None
    number: int
    amount: int
    paid: int


RETURNS = Paged(
    ReturnRow,
    RETURN_ROWS,
    "SELECT count(*), sum(r.amount)::bigint FROM bank_returns r",
    {"": Order((("(r.state <> 'paid')", "boolean"), ("r.id", "bigint")))},
    {"state": "r.state = :state", "batch": "r.batch_id = :batch", "refund": "r.refund_id = :refund"},
)


def held(*, with_all: bool = False, line_id: int | None = None) -> list[HeldRow]:
    """Held transfers on which something is left, or all; of one line if given."""
    return _rows(HeldRow, HELD, {"all": with_all, "line": line_id})


def returns(
    *, state: str | None = None, batch_id: int | None = None, refund_id: int | None = None, turn: Turn = FIRST
) -> Keyed[ReturnRow]:
    """Returns, those that are not paid first."""
    return RETURNS.page({"state": state, "batch": batch_id, "refund": refund_id}, turn)


def return_counts() -> dict[str, int]:
    """Returns by state."""
    rows = db.session.execute(text("SELECT state, count(*) AS number FROM bank_returns GROUP BY state"))
    return dict.fromkeys(RETURN_STATES, 0) | {row.state: row.number for row in rows}


def batches(batch_id: int | None = None) -> list[BatchRow]:
    """Batches that wait first, then the latest; or one of them."""
    return _rows(BatchRow, BATCHES, {"id": batch_id})


def _rows(make: type[Any], query: Any, values: dict[str, Any]) -> list[Any]:
    return [make(**row) for row in db.session.execute(query, values).mappings()]
