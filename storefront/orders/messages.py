"""Letters that are owed: to buyers about their orders in the order's language, and those that other rooms write."""

from __future__ import annotations

from flask import render_template
from flask_babel import force_locale
from sqlalchemy import func, select

from storefront.crash_points import reach
from storefront.extensions import db
from storefront.mail.letters import letter_about
from storefront.mail.models import Message
from storefront.mail.transport import Letter, MailNotTaken, send
from storefront.orders.models import Order, OrderContact
from storefront.orders.payment import order_link
from storefront.orders.views import order_view

#: Letters that have a form with tables beside their text: those that show what was ordered.
WITH_HTML = ("order_placed", "order_paid")


def send_message(message_id: int) -> None:
    """Send one owed message and write that it went; commits. A message that went before is passed over.

    Raises MailNotTaken, so that the job tries again.
    """
    message = db.session.get_one(Message, message_id, populate_existing=True)
    if message.sent_at is not None:
        db.session.rollback()
        return
    letter = letter_about(message) if message.order_id is None else _to_buyer(message)
    db.session.rollback()  # nothing stays locked or open while the mail server thinks
    error = None if letter else "no address"
    failed: MailNotTaken | None = None
    if letter:
        reach("message.before_send")
        try:
            send(letter)
        except MailNotTaken as refused:
            failed, error = refused, str(refused)
        reach("message.after_send")
    message = db.session.get_one(Message, message_id, with_for_update=True, populate_existing=True)
    message.attempts += 1
    message.last_error = error
    if failed is None:
        message.sent_at = db.session.execute(select(func.now())).scalar_one()
    db.session.commit()
    if failed is not None:
        raise failed


def _to_buyer(message: Message) -> Letter | None:
    contact = db.session.get(OrderContact, message.order_id)
    return _letter(message, contact.email) if contact and contact.email else None


def _letter(message: Message, to: str) -> Letter:
    order = db.session.get_one(Order, message.order_id)
    with force_locale(order.locale):
        view = order_view(order, locale=order.locale)
        parcel = next((parcel for parcel in view.parcels if parcel.id == message.parcel_id), None)
        known = {"order": view, "parcel": parcel, "link": order_link(order)}
        rendered = render_template(f"mail/{message.kind}.txt", **known)
        html = render_template(f"mail/{message.kind}.html", **known) if message.kind in WITH_HTML else None
    subject, _, text = rendered.partition("\n")
    return Letter(message.key, to, subject.strip(), text.lstrip("\n"), html)
