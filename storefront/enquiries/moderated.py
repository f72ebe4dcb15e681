"""Questions and answers in the curators' queue."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from storefront.catalogue.models import Product
from storefront.enquiries import letters
from storefront.enquiries.models import Enquiry, EnquiryMessage
from storefront.extensions import db
from storefront.moderation.kinds import Kind, Said, Shown, register


def shown(ids: Iterable[int]) -> dict[int, Shown]:
    """Messages with the thread before them."""
    wanted = set(ids)
    rows = db.session.execute(
        select(EnquiryMessage, Enquiry, Product.title, Product.slug)
        .join(Enquiry, Enquiry.id == EnquiryMessage.enquiry_id)
        .outerjoin(Product, Product.id == Enquiry.product_id)
        .where(EnquiryMessage.id.in_(wanted))
    ).all()
    threads: dict[int, list[EnquiryMessage]] = {}
    enquiries = {enquiry.id for _message, enquiry, _title, _slug in rows}
    for message in db.session.scalars(
        select(EnquiryMessage).where(EnquiryMessage.enquiry_id.in_(enquiries)).order_by(EnquiryMessage.id)
    ):
        threads.setdefault(message.enquiry_id, []).append(message)
    return {
        message.id: Shown(
            message.body,
            language=_language(message, enquiry),
            product_title=title or "",
            product_slug=slug or "",
            city=enquiry.city,
            is_buyer=enquiry.is_buyer,
            is_private=not enquiry.is_public,
            around=tuple(
                Said(other.author, other.body, _language(other, enquiry))
                for other in threads[enquiry.id]
                if other.id < message.id and other.erased_at is None
            ),
        )
        for message, enquiry, title, slug in rows
        if message.erased_at is None
    }


def _language(message: EnquiryMessage, enquiry: Enquiry) -> str:
    return enquiry.locale if message.author == "asker" else "id"


def apply(message_id: int, is_public: bool) -> None:
    """Show or hide a message; an answer that is shown for the first time is told to who asked."""
    message = db.session.get_one(EnquiryMessage, message_id, with_for_update=True)
    message.is_shown = is_public and message.erased_at is None
    db.session.flush()
    if message.is_shown and message.author == "facility":
        letters.tell_asker(message)
    elif message.is_shown:
        letters.tell_facility(message)


register(Kind("question", shown, apply))
register(Kind("answer", shown, apply))
