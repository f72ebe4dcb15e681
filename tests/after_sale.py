"""What happens after the sale, for tests: parcels taken further, the order's page, problems, letters."""

from __future__ import annotations

import email
import email.policy
import io
import re
from email.message import EmailMessage
from typing import Any

from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from storefront.aftercare.models import Problem, ProblemLine, ProblemPhoto
from storefront.catalogue.models import Variant
from storefront.extensions import db
from storefront.form_key import new_key
from storefront.mail.models import Message
from storefront.mail.transport import mail_folder
from storefront.media.storage import private_files
from storefront.orders import ship
from storefront.orders.mark_paid import record_payment
from storefront.orders.models import Order, Parcel
from storefront.orders.payment import open_payment
from storefront.orders.place import Contact, ParcelShipping, PricedLine, place
from storefront.orders.report_window import Windows
from storefront.orders.tokens import order_token
from storefront.shipping.models import ShippingMethod
from tests.factories import NOW, make_person


def parcels_of(order_id: int) -> list[Parcel]:
    """All parcels of an order as they are now, in their order."""
    query = select(Parcel).where(Parcel.order_id == order_id).order_by(Parcel.position)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def make_pickup(facility_id: int, *wishes: tuple[Variant, int]) -> Order:
    """A paid order that its buyer collects at the gallery."""
    method = db.session.execute(select(ShippingMethod.id).where(ShippingMethod.kind == "pickup")).scalars().first()
    assert method is not None
    order = place(
        [PricedLine(variant.id, quantity, variant.price) for variant, quantity in wishes],
        contact=Contact("Sari", "sari@example.test", "+628123456789"),
        address=None,
        shipping={facility_id: ParcelShipping(method, is_pickup=True, amount=0, days_min=0, days_max=0)},
    )
    payment = open_payment(order)
    record_payment(payment.id, reference=payment.id, amount=payment.amount)
    db.session.flush()
    return order


def send(parcel: Parcel, courier: str = "JNE", tracking: str = "CGK123456") -> None:
    """Packed and handed to a courier, committed."""
    person = make_person()
    ship.mark_packed(parcel.id, person.id)
    ship.mark_shipped(parcel.id, courier, tracking, person.id)
    db.session.commit()


def arrive(parcel: Parcel) -> None:
    """Sent and received, committed."""
    send(parcel)
    ship.mark_received(parcel.id, None)
    db.session.commit()


def visit(client: FlaskClient, order: Order) -> FlaskClient:
    """The client, with the order's link opened."""
    answer = client.get(f"/orders/{order.number}?token={order_token(order)}")
    assert answer.status_code == 303
    return client


def photo(form: str = "JPEG") -> bytes:
    """A picture that says where it was taken."""
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "RAHASIA"
    Image.new("RGB", (240, 180), "brown").save(buffer, form, exif=exif)
    return buffer.getvalue()


def make_problem(parcel: Parcel, **values: Any) -> Problem:
    """A problem with one piece and one photo, reported now."""
    problem = Problem(
        order_id=parcel.order_id,
        parcel_id=parcel.id,
        facility_id=parcel.facility_id,
        kind=values.pop("kind", "damaged"),
        words=values.pop("words", "Kainnya sobek di bagian tepi."),
        answer_by=values.pop("answer_by", None) or Windows.load().answer_until(NOW),
        request_key=new_key(),
        **values,
    )
    key = f"problems/{new_key().lower()}.jpg"
    private_files().write(key, photo())
    problem.lines = [ProblemLine(order_line_id=parcel.lines[0].order_line_id, quantity=1)]
    problem.photos = [ProblemPhoto(position=1, key=key)]
    db.session.add(problem)
    db.session.flush()
    return problem


def kinds(order_id: int) -> list[str]:
    """The letters that an order owes or owed, in their order."""
    query = select(Message.kind).where(Message.order_id == order_id).order_by(Message.id)
    return list(db.session.scalars(query))


def letter(key: str) -> EmailMessage:
    """A letter that went out."""
    message = email.message_from_bytes(
        (mail_folder() / f"{key.replace(':', '.')}.eml").read_bytes(), policy=email.policy.default
    )
    assert isinstance(message, EmailMessage)
    return message


def body(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body([kind])
    assert part is not None
    return str(part.get_content())


def key_in(page: str) -> str:
    """The key of a form."""
    found = re.search(r'name="request_key" value="([^"]+)"', page)
    assert found
    return found[1]
