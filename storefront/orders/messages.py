"""Letters that are owed: to buyers about their orders in the order's language, and those that other rooms write.

Which letters there are, and why never one for each facility: docs/decisions/017-after-the-sale.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import render_template
from flask_babel import force_locale
from sqlalchemy import func, select

from storefront.crash_points import reach
from storefront.extensions import db
from storefront.mail.html import blocks
from storefront.mail.letters import letter_about, unreachable
from storefront.mail.models import Message
from storefront.mail.notify import Recipient, messenger_for, notify
from storefront.mail.transport import Letter, MailNotTaken, Unreachable
from storefront.orders import collect_code
from storefront.orders.models import Order, OrderContact
from storefront.orders.payment import order_link
from storefront.orders.views import OrderView, order_view
from storefront.people import letter_choices

#: Letters with tables of their own beside their text; all others stand in the frame as their text is.
WITH_HTML = ("order_placed", "order_paid")

#: Letters for a single parcel, as they were owed before there was one for each step: they may still wait to be sent.
OF_A_PARCEL = ("parcel_shipped", "parcel_ready")

#: What a template needs beside the order, by kind of letter: rooms above this one say it (`tells`).
Known = Callable[[Message], dict[str, Any]]
_known: dict[str, Known] = {}


def tells(*kinds: str) -> Callable[[Known], Known]:
    """The function finds what the templates of these kinds speak of beside the order."""

    def register(known: Known) -> Known:
        _known.update(dict.fromkeys(kinds, known))
        return known

    return register


def send_message(message_id: int) -> None:
    """Send one owed message and write that it went; commits. A message that went before is passed over.

    Raises MailNotTaken, so that the job tries again.
    """
    message = db.session.get_one(Message, message_id, populate_existing=True)
    if message.sent_at is not None:
        db.session.rollback()
        return
    recipient, letter = _ready(message)
    db.session.rollback()  # nothing stays locked or open while the mail server thinks
    error = None if letter else "no address"
    failed: MailNotTaken | None = None
    is_gone = False
    if letter:
        reach("message.before_send")
        try:
            notify(recipient, letter)
        except MailNotTaken as refused:
            failed, error = refused, str(refused)
        except Unreachable as gone:
            error, is_gone = str(gone), True
        reach("message.after_send")
    message = db.session.get_one(Message, message_id, with_for_update=True, populate_existing=True)
    message.attempts += 1
    message.last_error = error
    if failed is None:
        message.sent_at = db.session.execute(select(func.now())).scalar_one()
    if is_gone:
        unreachable(message)
    db.session.commit()
    if failed is not None:
        raise failed


def _ready(message: Message) -> tuple[Recipient, Letter | None]:
    """Who is written to, and the letter; None: nobody can be reached any more, or nobody wants it."""
    if message.order_id is None:
        letter = letter_about(message)
        return (Recipient(letter.to or None, device=letter.device) if letter else Recipient()), letter
    recipient = recipient_of(message.order_id)
    if recipient.email and not letter_choices.may_tell(recipient.email, message.kind):
        return Recipient(), None
    return recipient, _letter(message) if messenger_for(recipient) else None


def recipient_of(order_id: int) -> Recipient:
    """How the buyer of an order can be reached now; an erased one cannot."""
    contact = db.session.get(OrderContact, order_id, populate_existing=True)
    return Recipient(contact.email, contact.phone) if contact else Recipient()


def _letter(message: Message) -> Letter:
    order = db.session.get_one(Order, message.order_id)
    with force_locale(order.locale):
        view = order_view(order, locale=order.locale)
        parcel = next((parcel for parcel in view.parcels if parcel.id == message.parcel_id), None)
        known: dict[str, Any] = {"order": view, "parcel": parcel, "link": order_link(order)}
        email = view.contact.email if view.contact else None
        if email and message.kind in letter_choices.KINDS:
            known["unsubscribe"] = letter_choices.unsubscribe_link(email, message.kind, order.locale)
        if view.paid_at and view.at_stands:
            known["code"] = collect_code.rows(view.number)
        if message.kind in _known:
            known |= _known[message.kind](message)
        rendered = render_template(f"mail/{_template(message, view)}.txt", **known)
        subject, _, text = rendered.partition("\n")
        subject, text = subject.strip(), text.lstrip("\n")
        if message.kind in WITH_HTML:
            html = render_template(f"mail/{message.kind}.html", **known)
        else:
            paragraphs = blocks(text, known["link"])
            html = render_template("mail/_any.html", subject=subject, paragraphs=paragraphs, **known)
    return Letter(message.key, "", subject, text, html, known.get("unsubscribe"))


def _template(message: Message, view: OrderView) -> str:
    if message.kind not in OF_A_PARCEL:
        return message.kind
    return "order_all_sent" if len(view.left) == len(view.living) else "order_on_its_way"
