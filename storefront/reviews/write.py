"""Review what one has received, change it for some days; reply for the facility."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from datetime import timedelta

from flask_babel import lazy_gettext as _
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront import content_rule
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.moderation.queue import submit
from storefront.orders.models import Order, OrderAddress, OrderLine, Parcel, ParcelLine, ParcelState
from storefront.reviews import pictures
from storefront.reviews.models import Review, ReviewPhoto, ReviewReply
from storefront.reviews.pictures import Upload
from storefront.shipping.shown_city import is_known, plain_city

LONGEST = 2000
#: A review can be changed for so long.
EDITABLE = timedelta(days=14)


class NotReceivedYet(DomainError):
    code, status = "not_received_yet", 409
    message = _("Ulasan dapat ditulis setelah kirimannya diterima.")


class ReviewClosed(DomainError):
    code, status = "review_closed", 409
    message = _("Ulasan dapat diubah selama 14 hari sejak ditulis. Waktu itu sudah lewat.")


def is_received(order_line_id: int) -> bool:
    """Whether a parcel with pieces of the line has arrived."""
    found = select(ParcelLine.order_line_id).join(Parcel, Parcel.id == ParcelLine.parcel_id).where(
        ParcelLine.order_line_id == order_line_id, Parcel.state == ParcelState.RECEIVED.value
    )  # fmt: skip
    return db.session.scalar(select(found.exists())) or False


def is_editable(review: Review, now: datetime.datetime) -> bool:
    return review.erased_at is None and now - review.created_at <= EDITABLE


def write(
    line: OrderLine, stars: int, body: str, *, uploads: Sequence[Upload] = (), removed: Sequence[int] = ()
) -> Review:
    """Write the review of an order line, or write it anew. Never commits.

    `removed`: ids of its pictures to take away. Plain stars are shown at once; words wait for a curator. Raises
    NotReceivedYet, ReviewClosed, Invalid.
    """
    text = content_rule.clean(body)
    errors: dict[str, object] = {}
    if not 1 <= stars <= 5:
        errors["stars"] = _("Pilih satu sampai lima bintang.")
    if len(text) > LONGEST:
        errors["body"] = _("Paling panjang %(most)d huruf. Persingkat dulu.", most=LONGEST)
    if errors:
        raise Invalid(errors)
    if not is_received(line.id):
        raise NotReceivedYet()
    review, changed = _row(line, stars, text)
    for photo in db.session.scalars(
        select(ReviewPhoto).where(ReviewPhoto.review_id == review.id, ReviewPhoto.id.in_(removed))
    ).all():
        pictures.remove(photo)
    pictures.add(review, list(uploads))
    if changed:
        item = submit("review", review.id, facility_id=review.facility_id, reasons=_why(review))
        review.is_shown = item.is_public
    db.session.flush()
    return review


def reply(review: Review, body: str, person_id: int) -> ReviewReply:
    """The facility replies, or writes its reply anew. Never commits. Raises Invalid."""
    text = content_rule.clean(body)
    if not text or len(text) > LONGEST:
        raise Invalid({"body": _("Tulis balasannya, paling panjang %(most)d huruf.", most=LONGEST)})
    row = db.session.scalar(select(ReviewReply).where(ReviewReply.review_id == review.id).with_for_update())
    if row is None:
        row = ReviewReply(review_id=review.id, person_id=person_id, body=text)
        db.session.add(row)
    else:
        row.body, row.person_id, row.updated_at = text, person_id, func.now()
    db.session.flush()
    item = submit("reply", row.id, facility_id=review.facility_id, reasons=content_rule.reasons(text))
    row.is_shown = item.is_public
    db.session.flush()
    return row


def _row(line: OrderLine, stars: int, body: str) -> tuple[Review, bool]:
    """The line's review as written now, and whether anything in it is new."""
    order = db.session.get_one(Order, line.order_id)
    address = db.session.get(OrderAddress, line.order_id)
    made = db.session.execute(
        upsert(Review)
        .values(
            order_line_id=line.id, product_id=line.product_id, facility_id=line.facility_id, stars=stars, body=body,
            city=plain_city((address.city if address else None) or ""), locale=order.locale, is_shown=False,
        )
        .on_conflict_do_nothing(index_elements=["order_line_id"])
        .returning(Review.id)
    ).scalar()  # fmt: skip
    if made is not None:
        return db.session.get_one(Review, made), True
    review = db.session.scalars(
        select(Review)
        .where(Review.order_line_id == line.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if not is_editable(review, db.session.execute(select(func.now())).scalar_one()):
        raise ReviewClosed()
    changed = (review.stars, review.body) != (stars, body)
    if changed:
        review.is_shown = False
        db.session.flush()
        review.stars, review.body, review.updated_at = stars, body, func.now()
        db.session.flush()
    return review, changed


def _why(review: Review) -> list[str]:
    found = content_rule.reasons(review.body, review.city)
    if not is_known(review.city):
        found.append("city")
    if review.body and not found:
        found.append("new_text")
    return found


def own_line(order: Order, position: int) -> OrderLine:
    """The line of the order at this position. Raises NotFound."""
    for line in order.lines:
        if line.position == position:
            return line
    raise NotFound()
