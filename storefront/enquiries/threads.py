"""A thread as its two sides read it, and a facility's list of them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, text

from storefront.catalogue.models import Product
from storefront.enquiries.models import Enquiry, EnquiryMessage
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.languages import locale
from storefront.moderation.lists import states_of, told

PAGE = 20


@dataclass(frozen=True)
class Line:
    """One message as one side may read it."""

    author: str
    body: str
    at: datetime.datetime
    #: `shown`, `waiting`, `refused`: the last two for its author alone.
    state: str
    #: Why it is not shown, for its author.
    note: str


@dataclass(frozen=True)
class Thread:
    """A thread with its product and facility."""

    enquiry: Enquiry
    product_title: str
    product_slug: str
    facility_name: str
    facility_slug: str
    lines: tuple[Line, ...]

    @property
    def is_answered(self) -> bool:
        return any(line.author == "facility" and line.state == "shown" for line in self.lines)


@dataclass(frozen=True)
class Waiting:
    """A thread in a facility's list."""

    id: int
    product_title: str
    first: str
    locale: str
    city: str
    is_buyer: bool
    is_public: bool
    at: datetime.datetime
    #: `open`: the asker had the last word; `answered`; `waiting`: our own answer waits for a curator.
    state: str


@dataclass(frozen=True)
class ThreadPage:
    rows: Sequence[Waiting]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


def thread(enquiry: Enquiry, *, side: str) -> Thread:
    """The thread as `side` (`asker` or `facility`) reads it: what is shown, and all of one's own."""
    messages = db.session.scalars(
        select(EnquiryMessage).where(EnquiryMessage.enquiry_id == enquiry.id).order_by(EnquiryMessage.id)
    ).all()
    own = [message.id for message in messages if message.author == side]
    items = states_of("question" if side == "asker" else "answer", own)
    lines = []
    for message in messages:
        if message.erased_at or not (message.is_shown or message.author == side):
            continue
        fate = told(message.is_shown, items.get(message.id))
        lines.append(Line(message.author, message.body, message.created_at, fate.state, fate.note))
    product = db.session.get(Product, enquiry.product_id) if enquiry.product_id else None
    facility = db.session.get_one(Facility, enquiry.facility_id)
    title = (product.title_en if locale() == "en" else "") or product.title if product else ""
    return Thread(enquiry, title, product.slug if product else "", facility.name, facility.slug, tuple(lines))


LIST = """
    SELECT e.id, p.title, p.title_en, e.locale, e.city, e.is_buyer, e.is_public, f.body AS first, f.created_at AS at,
           CASE WHEN NOT EXISTS (SELECT FROM enquiry_messages m WHERE m.enquiry_id = e.id AND m.author = 'facility')
                  OR l.author = 'asker' THEN 'open'
                WHEN l.is_shown THEN 'answered'
                WHEN i.state = 'refused' THEN 'open' ELSE 'waiting' END AS state
      FROM enquiries e
      JOIN products p ON p.id = e.product_id
      JOIN LATERAL (SELECT body, created_at FROM enquiry_messages m
                     WHERE m.enquiry_id = e.id AND m.author = 'asker' AND m.is_shown AND m.erased_at IS NULL
                     ORDER BY m.id LIMIT 1) f ON true
      JOIN LATERAL (SELECT id, author, is_shown FROM enquiry_messages m
                     WHERE m.enquiry_id = e.id AND (m.is_shown OR m.author = 'facility')
                     ORDER BY m.id DESC LIMIT 1) l ON true
      LEFT JOIN moderation_items i ON i.kind = 'answer' AND i.subject_id = l.id AND l.author = 'facility'
     WHERE e.facility_id = :facility"""


def of_facility(facility_id: int, state: str | None, page: int = 1) -> ThreadPage:
    """A page of the facility's threads, those that wait for it the oldest first, else the latest first.

    A question that waits for a curator is not in it.
    """
    order = "at, id" if state == "open" else "at DESC, id DESC"
    values: dict[str, Any] = {
        "facility": facility_id,
        "state": state,
        "limit": PAGE,
        "skip": (page - 1) * PAGE,
    }
    where = "WHERE CAST(:state AS text) IS NULL OR state = :state"
    rows = db.session.execute(
        text(f"SELECT *, count(*) OVER () AS total FROM ({LIST}) t {where} ORDER BY {order} LIMIT :limit OFFSET :skip"),  # noqa: S608
        values,
    ).mappings().all()  # fmt: skip
    english = locale() == "en"
    found = [
        Waiting(
            row["id"], (row["title_en"] if english else "") or row["title"], row["first"], row["locale"],
            row["city"], row["is_buyer"], row["is_public"], row["at"], row["state"],
        )
        for row in rows
    ]  # fmt: skip
    return ThreadPage(found, rows[0]["total"] if rows else 0, page)


def open_count(facility_id: int) -> int:
    """How many threads wait for the facility."""
    query = text(f"SELECT count(*) FROM ({LIST}) t WHERE state = 'open'")  # noqa: S608
    return int(db.session.execute(query, {"facility": facility_id}).scalar_one())


def own_thread(facility_id: int, enquiry_id: int) -> Enquiry | None:
    """The facility's own thread, once something of it is shown to the facility."""
    shown = select(EnquiryMessage.id).where(
        EnquiryMessage.enquiry_id == Enquiry.id, EnquiryMessage.author == "asker", EnquiryMessage.is_shown
    )
    return db.session.scalar(
        select(Enquiry).where(
            Enquiry.id == enquiry_id, Enquiry.facility_id == facility_id, func.coalesce(shown.exists(), False)
        )
    )
