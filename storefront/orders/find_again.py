"""*Di mana pesanan saya*: the link of an order, mailed again to the address that it was placed with.

Whoever asks is answered before anybody has looked whether the order exists; a job looks. What was typed is not put
into the job, only a keyed hash of it.
"""

from __future__ import annotations

import datetime
import re

from flask_babel import gettext as _
from sqlalchemy import func, select

from storefront.errors import Invalid
from storefront.extensions import db, defer
from storefront.mail.models import Message
from storefront.mail.owe import owe
from storefront.orders.models import Order, OrderContact
from storefront.orders.tokens import is_over
from storefront.people import attempts
from storefront.shipping import addresses
from storefront.shipping.addresses import Refused

NUMBER = re.compile(r"[A-Z]{2}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}")
#: Letters with the link for one order in a day.
MOST_LETTERS = 3
A_DAY = datetime.timedelta(days=1)


def ask_for_link(number: str, contact: str, address: str | None) -> None:
    """Queue the question; the same, and as long, for every order. Commits the try, then the question.

    `contact` is an e-mail address or a phone number as typed. Raises Invalid by field (`number`, `contact`) for
    what can be neither, and TooManyTries.
    """
    number = tidy_number(number)
    errors = {}
    if not NUMBER.fullmatch(number):
        errors["number"] = _("Tulis nomor pesanan seperti di surel Anda, misalnya KB-7Q2M-4XPA.")
    reachable = _reachable(contact)
    if reachable is None:
        errors["contact"] = _("Tulis surel atau nomor telepon yang Anda pakai waktu memesan.")
    if errors:
        raise Invalid(errors)
    attempt = attempts.begin("find_order", number, address)
    db.session.commit()
    attempts.check(attempt)
    defer("orders.send_link", number=number, contact=attempts.keyed_hash(reachable or "").hex())
    db.session.commit()


def send_link(number: str, contact: str) -> str:
    """Owe the letter with the link, if the order is of whoever knows this contact. What came of it, in a word.

    Never commits.
    """
    order = db.session.scalar(select(Order).where(Order.number == number).with_for_update(key_share=True))
    if order is None:
        return "unknown"
    known = db.session.get(OrderContact, order.id)
    given = [value for value in (known.email, known.phone) if value] if known else []
    if contact not in [attempts.keyed_hash(value).hex() for value in given]:
        return "another's"
    if is_over(order):
        return "over"
    told = db.session.execute(
        select(func.count(), func.count().filter(Message.created_at > func.now() - A_DAY)).where(
            Message.order_id == order.id, Message.kind == "order_link"
        )
    ).one()
    if told[1] >= MOST_LETTERS:
        return "enough"
    owe("order_link", order.id, key=f"order:{order.id}:order_link:{told[0] + 1}")
    return "owed"


def tidy_number(number: str) -> str:
    """An order's number as it is kept, however it was typed: small letters, without strokes, O for 0."""
    plain = re.sub(r"[^A-Z0-9]", "", number.upper())
    if len(plain) != 10:
        return plain
    code = plain[2:].translate(str.maketrans("OIL", "011"))
    return f"{plain[:2]}-{code[:4]}-{code[4:]}"


def _reachable(contact: str) -> str | None:
    try:
        if "@" in contact:
            return addresses.email_address(contact)
        return addresses.phone_number(contact)
    except Refused:
        return None
