"""A thread as its two sides read it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, select

from storefront.catalogue.models import Product
from storefront.enquiries.large import files_of
from storefront.enquiries.models import Enquiry, EnquiryMessage
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.languages import locale
from storefront.moderation.lists import states_of, told
from storefront.orders.models import Order, Parcel


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
    #: `1234-5678/1`, where it was asked about a parcel, and that parcel.
    parcel_code: str = ""
    parcel_id: int | None = None
    #: Ids and extensions of what came with it.
    files: tuple[tuple[int, str], ...] = ()

    @property
    def title(self) -> str:
        """What it is about, in words."""
        if self.enquiry.kind == "large_order":
            about = self.product_title
            return _("pesanan besar: %(title)s", title=about) if about else _("pesanan besar")
        return self.product_title or _("kiriman %(code)s", code=self.parcel_code)

    @property
    def is_answered(self) -> bool:
        return any(line.author == "facility" and line.state == "shown" for line in self.lines)


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
    slug = product.slug if product else ""
    parcel = db.session.get(Parcel, enquiry.parcel_id) if enquiry.parcel_id else None
    number = db.session.get_one(Order, parcel.order_id).number if parcel else ""
    code = f"{number}/{parcel.position}" if parcel else ""
    return Thread(
        enquiry, title, slug, facility.name, facility.slug, tuple(lines), code, parcel.id if parcel else None,
        files_of(enquiry.id),
    )  # fmt: skip


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
