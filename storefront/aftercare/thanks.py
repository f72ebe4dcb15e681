"""A thank-you to the workshops of an order: one, short, plain, and read by a curator before it gets there.

The facility's coordinator sees the words and *Pembeli di <kota>*, never a name. Curators see the words alone.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from storefront.aftercare.models import MoneyNews, ThankYou
from storefront.aftercare.problems import plain_text
from storefront.audit.record import record
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.orders.models import Order, OrderAddress

SHORTEST, LONGEST = 3, 280
#: On a facility's page.
MOST_SHOWN = 50

#: Those of an order with something of the facility that was not called off.
OF_FACILITY = text(
    """
    SELECT t.id, t.words, t.city, t.locale, t.written_at,
           array(SELECT DISTINCT l.title FROM order_lines l
                  WHERE l.order_id = t.order_id AND l.facility_id = :facility ORDER BY l.title) AS titles
      FROM thank_yous t
     WHERE t.state = 'public' AND t.words IS NOT NULL AND EXISTS (
           SELECT FROM parcels p WHERE p.order_id = t.order_id AND p.facility_id = :facility
              AND p.state <> 'cancelled')
     ORDER BY t.decided_at DESC, t.id DESC LIMIT :limit"""
)


class AlreadyThanked(DomainError):
    """An order sends one thank-you."""

    code, status = "already_thanked", 409

    def __init__(self) -> None:
        super().__init__(_("Ucapan Anda untuk pesanan ini sudah kami terima. Terima kasih!"))


@dataclass(frozen=True)
class Thanks:
    """A thank-you as its facility reads it."""

    id: int
    words: str
    city: str
    locale: str
    written_at: datetime.datetime
    titles: Sequence[str]


def thank(order: Order, words: str) -> ThankYou:
    """Leave a thank-you for a curator to read. Never commits.

    Only once the order's money has been told of. Raises Invalid (`words`), AlreadyThanked, NotFound.
    """
    if db.session.get(MoneyNews, order.id) is None:
        raise NotFound()
    words = " ".join(plain_text(words).split())
    if not SHORTEST <= len(words) <= LONGEST:
        raise Invalid({"words": _("Tulis ucapannya, 3 sampai 280 huruf.")})
    address = db.session.get(OrderAddress, order.id)
    city = (address.city if address else None) or ""
    thanks = ThankYou(order_id=order.id, words=words, city=city, locale=order.locale)
    try:
        with db.session.begin_nested():
            db.session.add(thanks)
            db.session.flush()
    except IntegrityError as refusal:
        if "thank_yous_order_id_key" not in str(refusal.orig):
            raise
        raise AlreadyThanked() from None
    record("thank_you.written", "thank_you", thanks.id)
    return thanks


def of_order(order_id: int) -> ThankYou | None:
    """The order's own, whatever became of it."""
    return db.session.scalar(select(ThankYou).where(ThankYou.order_id == order_id))


def decide(thanks_id: int, *, show: bool, person_id: int) -> ThankYou:
    """A curator lets it through, or not; what was decided may be decided anew. Never commits. Raises NotFound."""
    thanks = db.session.get(ThankYou, thanks_id, with_for_update=True, populate_existing=True)
    if thanks is None or thanks.erased_at is not None:
        raise NotFound()
    was, now = thanks.state, db.session.execute(select(func.now())).scalar_one()
    thanks.state, thanks.decided_by, thanks.decided_at = "public" if show else "hidden", person_id, now
    db.session.flush()
    details = {"before": {"state": was}, "after": {"state": thanks.state}}
    record("thank_you.decided", "thank_you", thanks.id, person_id=person_id, details=details)
    return thanks


def to_read(limit: int = 50) -> list[ThankYou]:
    """What waits for a curator, the oldest first; then the latest decided."""
    waits = ThankYou.state == "waiting"
    query = select(ThankYou).where(ThankYou.erased_at.is_(None))
    return list(
        db.session.scalars(query.order_by(waits.desc(), ThankYou.decided_at.desc(), ThankYou.id).limit(limit))
    )


def count_waiting() -> int:
    """How many wait for a curator."""
    query = select(func.count()).select_from(ThankYou).where(ThankYou.state == "waiting", ThankYou.erased_at.is_(None))
    return db.session.execute(query).scalar_one()


def for_facility(facility_id: int, limit: int = MOST_SHOWN) -> list[Thanks]:
    """What shoppers said to this facility, the latest first."""
    rows = db.session.execute(OF_FACILITY, {"facility": facility_id, "limit": limit}).mappings()
    return [Thanks(**row) for row in rows]
