"""People who ask, review and moderate, for tests."""

from __future__ import annotations

import io
import secrets
from typing import Any

from PIL import Image
from sqlalchemy import select, text

from storefront.catalogue.models import Product, Variant
from storefront.enquiries.models import Enquiry, EnquiryMessage
from storefront.enquiries.write import Question, answer, ask
from storefront.extensions import db
from storefront.form_key import new_key
from storefront.moderation.models import ModerationItem
from storefront.orders.models import Order, OrderLine, Parcel
from storefront.orders.ship import mark_packed, mark_received, mark_shipped
from storefront.reviews.models import Review
from storefront.reviews.write import write
from tests.factories import make_paid_order, make_person


def product_of(variant: Variant) -> Product:
    return db.session.get_one(Product, variant.product_id)


def asked(variant: Variant, body: str = "Apakah ada warna lain?", **more: Any) -> Enquiry:
    """A question about a product, committed."""
    product = product_of(variant)
    values: dict[str, Any] = {"city": "Pekalongan", "request_key": new_key(), **more}
    made = ask(Question(product.id, product.facility_id, body, **values))
    db.session.commit()
    return made


def answered(enquiry: Enquiry, body: str = "Ada, merah dan biru.") -> EnquiryMessage:
    """The facility's answer, committed."""
    made = answer(enquiry, body, new_key(), make_person().id)
    db.session.commit()
    return made


def received_line(variant: Variant, **more: Any) -> OrderLine:
    """A line of a paid order whose parcel has arrived, committed."""
    order = make_paid_order((variant, 1), **more)
    receive(order)
    return order.lines[0]


def receive(order: Order) -> None:
    """Every parcel of the order arrives; committed."""
    person = make_person().id
    for parcel in db.session.scalars(select(Parcel).where(Parcel.order_id == order.id)).all():
        mark_packed(parcel.id, person)
        mark_shipped(parcel.id, "JNE", f"CONTOH{secrets.token_hex(3)}", person)
        mark_received(parcel.id, None)
    db.session.commit()


def reviewed(variant: Variant, stars: int = 5, body: str = "") -> Review:
    """A review of a line that has arrived, committed."""
    made = write(received_line(variant), stars, body)
    db.session.commit()
    return made


def item_of(kind: str, subject_id: int) -> ModerationItem:
    """What the curators' queue says of a thing, as it is now."""
    db.session.expire_all()
    return db.session.scalars(
        select(ModerationItem).where(ModerationItem.kind == kind, ModerationItem.subject_id == subject_id)
    ).one()


def rating(variant: Variant) -> tuple[int, int] | None:
    """Sum of stars and number of reviews, as lists read them."""
    row = db.session.execute(
        text("SELECT stars, reviews FROM product_ratings WHERE product_id = :id"), {"id": variant.product_id}
    ).one_or_none()
    return tuple(row) if row else None


def picture_with_place() -> bytes:
    """A JPEG with EXIF that says where it was taken."""
    image = Image.effect_noise((400, 300), 60).convert("RGB")
    exif = Image.Exif()
    exif[0x010E] = "di rumah saya"
    exif.get_ifd(0x8825)[1] = "S"
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()
