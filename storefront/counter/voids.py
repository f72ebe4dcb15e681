"""A sale undone at the stand, whole or in part: with a reason, and the yes of a second person.

The way back is the way that it was paid: cash out of the till that is open, or through the gateway. In the books it is
a refund like any other (`refunds.refunds`), dated today; the pieces lie at the stand again or are written off.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _
from sqlalchemy import select

from storefront.audit.record import dated_at, record
from storefront.books.four_eyes import moment, require_second
from storefront.counter import tills
from storefront.counter.close import expected_now
from storefront.counter.models import CounterSale, CounterVoid, Till, TillSession
from storefront.errors import DomainError, Invalid, NotFound
from storefront.exhibitions.models import Exhibition
from storefront.extensions import db, defer
from storefront.ledger.book import AccountKey
from storefront.money import format_rupiah
from storefront.orders.models import Order
from storefront.payments.models import Refund
from storefront.payments.said import CASH
from storefront.refunds import refunds
from storefront.refunds.refund_outcome import refund_succeeded
from storefront.refunds.refund_parts import LineWish

REASONS = ("returned", "damaged", "goodwill")
LEAST_NOTE, MOST_NOTE = 5, 500


class NotInTill(DomainError):
    """The till holds less than would go back."""

    code, status = "not_in_the_till", 409

    def __init__(self, held: int) -> None:
        super().__init__(
            _(
                "Di kas hanya ada %(held)s. Ambil uang dari kas lain, atau kembalikan sebagian.",
                held=format_rupiah(held),
            )
        )


def sale_of(exhibition_id: int, number: str) -> CounterSale:
    """A sale of this fair by its order's number. Raises NotFound."""
    sale: CounterSale | None = db.session.scalar(
        select(CounterSale)
        .join(Order, Order.id == CounterSale.order_id)
        .where(CounterSale.exhibition_id == exhibition_id, Order.number == number)
    )
    if sale is None:
        raise NotFound()
    return sale


def give_back(
    exhibition: Exhibition,
    sale: CounterSale,
    pieces: Mapping[int, int],
    *,
    reason: str,
    note: str,
    restock: bool,
    asked_by: int,
    agreed_by: int,
    key: str,
    till: int | str | None = None,
) -> Refund:
    """Give back pieces by order line id, in the caller's transaction; `restock`: they can be sold again.

    The same `key` gives the refund that it made before. Raises Invalid, RequestUsed, NotFound, TillClosed, NotInTill,
    FourEyes.
    """
    note = note.strip()
    errors = {}
    if reason not in REASONS:
        errors["reason"] = _("Pilih alasan pengembalian.")
    if not LEAST_NOTE <= len(note) <= MOST_NOTE:
        errors["note"] = _("Tulis singkat apa yang terjadi.")
    if not any(pieces.values()):
        errors["lines"] = _("Pilih setidaknya satu barang yang dikembalikan.")
    if errors:
        raise Invalid(errors)
    what = "none" if reason == "goodwill" else "restock" if restock else "write_off"
    wishes = [LineWish(line, count, pieces=what) for line, count in pieces.items() if count]
    refund = refunds.propose(
        sale.order_id, wishes, reason=reason, note=note, person_id=asked_by, may_decide=False, request_key=key
    )
    if refund.state != "proposed":
        return refund
    session = tills.hold_open(tills.sessions_for(exhibition.id, till, asked_by)[0].id, alone=True)
    if session.closed_at is not None:
        raise tills.TillClosed()
    by_cash = sale.payment == CASH
    require_second(asked_by, agreed_by)
    refund.state, refund.approved_by, refund.approved_at = "requested", agreed_by, moment(None)
    void = CounterVoid(
        refund_id=refund.id, session_id=session.id, is_cash=by_cash, asked_by=asked_by, agreed_by=agreed_by
    )
    if (at := dated_at()) is not None:
        void.at = at
    db.session.add(void)
    db.session.flush()
    record(
        "counter.void",
        "refund",
        refund.id,
        person_id=asked_by,
        details={"before": {"state": "proposed"}, "after": {"state": "requested", "agreed_by": agreed_by}},
    )
    if not by_cash:
        defer("orders.send_refund", refund_id=refund.id)
        return refund
    _refuse_empty(session, refund.amount)
    account = AccountKey(db.session.get_one(Till, session.till_id).account, "asset")
    refund_succeeded(refund.id, at=dated_at(), paid_from=account)
    return refund


def _refuse_empty(session: TillSession, amount: int) -> None:
    """Nobody gives more than lies there; the void is written already, so the sum shows what would be left."""
    left = expected_now(session)
    if left < 0:
        raise NotInTill(left + amount)
