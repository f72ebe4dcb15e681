"""A thank-you to the workshops of an order: one, short, plain, and read by a curator before it gets there.

The facility's coordinator sees the words and *Pembeli di <kota>*, never a name. Curators see the words alone.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from storefront import content_rule
from storefront.aftercare.models import MoneyNews, ThankYou
from storefront.audit.record import record
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.moderation import queue as moderation
from storefront.moderation.lists import states_of
from storefront.moderation.models import ModerationItem
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
     WHERE t.is_shown AND EXISTS (
           SELECT FROM parcels p WHERE p.order_id = t.order_id AND p.facility_id = :facility
              AND p.state <> 'cancelled')
     ORDER BY t.written_at DESC, t.id DESC LIMIT :limit"""
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
    words = " ".join(content_rule.clean(words).split())
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
    facility_id = min(line.facility_id for line in order.lines)  # of several one keeps the place in the queue
    reasons = ["new_text", *content_rule.reasons(words)]
    moderation.submit("thank_you", thanks.id, facility_id=facility_id, reasons=reasons)
    return thanks


def of_order(order_id: int) -> ThankYou | None:
    """The order's own, whatever became of it."""
    return db.session.scalar(select(ThankYou).where(ThankYou.order_id == order_id))


def fate(thanks_id: int) -> ModerationItem:
    """What curators have decided of it."""
    return states_of("thank_you", [thanks_id])[thanks_id]


def for_facility(facility_id: int, limit: int = MOST_SHOWN) -> list[Thanks]:
    """What shoppers said to this facility, the latest first."""
    rows = db.session.execute(OF_FACILITY, {"facility": facility_id, "limit": limit}).mappings()
    return [Thanks(**row) for row in rows]
