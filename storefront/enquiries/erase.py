"""Forget who asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update

from storefront.enquiries.large import drop_files
from storefront.enquiries.models import Enquiry, EnquiryContact, EnquiryMessage
from storefront.extensions import db
from storefront.moderation.queue import withdraw


def _threads(order_ids: Iterable[int], email: str | None, person_id: int | None) -> list[Enquiry]:
    ids = list(order_ids)
    mine: list[ColumnElement[bool]] = [Enquiry.order_id.in_(ids)] if ids else []
    if email:
        contacts = select(EnquiryContact.enquiry_id).where(EnquiryContact.email == email.strip().lower())
        mine.append(Enquiry.id.in_(contacts))
    if person_id is not None:
        mine.append(Enquiry.person_id == person_id)
    return list(db.session.scalars(select(Enquiry).where(or_(*mine)))) if mine else []


def forget(order_ids: Iterable[int] = (), email: str | None = None, person_id: int | None = None) -> int:
    """Erase what the threads of these orders, this address or this person keep of them. Never commits.

    The address and the city go, the link no longer opens, and in private threads so do the asker's words. A public
    question stays, said by nobody. Returns how many threads.
    """
    found = _threads(order_ids, email, person_id)
    for enquiry in found:
        enquiry.city, enquiry.person_id, enquiry.order_id = "", None, None
        if enquiry.product_id is not None:  # what is about a parcel alone needs it, and it names nobody
            enquiry.parcel_id = None
        enquiry.token_version += 1
        db.session.execute(
            update(EnquiryContact)
            .where(EnquiryContact.enquiry_id == enquiry.id)
            .values(email=None, erased_at=func.now())
        )
        # What the public never read goes too.
        gone = EnquiryMessage.author == "asker"
        if enquiry.is_public:
            gone &= ~EnquiryMessage.is_shown
        ids = list(
            db.session.scalars(
                update(EnquiryMessage)
                .where(EnquiryMessage.enquiry_id == enquiry.id, gone, EnquiryMessage.erased_at.is_(None))
                .values(body="", is_shown=False, erased_at=func.now())
                .returning(EnquiryMessage.id)
            )
        )
        for message_id in ids:
            withdraw("question", message_id)
        drop_files(enquiry.id)
    db.session.flush()
    return len(found)


def kept_of(
    order_ids: Iterable[int] = (), email: str | None = None, person_id: int | None = None
) -> list[dict[str, Any]]:
    """What the threads hold of them, for who asks for their own data."""
    return [
        {
            "asked_at": enquiry.created_at.isoformat(),
            "city": enquiry.city,
            "is_public": enquiry.is_public,
            "messages": list(
                db.session.scalars(
                    select(EnquiryMessage.body)
                    .where(
                        EnquiryMessage.enquiry_id == enquiry.id,
                        EnquiryMessage.author == "asker",
                        EnquiryMessage.erased_at.is_(None),
                    )
                    .order_by(EnquiryMessage.id)
                )
            ),
        }
        for enquiry in _threads(order_ids, email, person_id)
    ]
