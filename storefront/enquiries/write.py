"""Ask, write again, answer. What holds a number, a link or a name waits for a curator before anyone else reads it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app
from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront import content_rule
from storefront.enquiries import letters
from storefront.enquiries.models import Enquiry, EnquiryContact, EnquiryMessage
from storefront.errors import DomainError, Invalid, TooManyRequests
from storefront.extensions import db
from storefront.form_key import TOO_OLD, is_key
from storefront.mail.address import is_email
from storefront.moderation.queue import submit
from storefront.people import attempts
from storefront.shipping.shown_city import is_known, plain_city

SHORTEST, LONGEST_QUESTION, LONGEST_ANSWER = 8, 1000, 2000
#: Messages that an asker may write before the facility has answered.
MOST_UNANSWERED = 5


class TooManyMessages(DomainError):
    code, status = "too_many_messages", 429
    message = _("Tunggu jawaban lapas dulu sebelum menulis lagi.")


class TooManyQuestions(TooManyRequests):
    code = "too_many_questions"
    message = _("Terlalu banyak pertanyaan dari jaringan ini. Tunggu satu jam, lalu kirim lagi.")


@dataclass(frozen=True)
class Question:
    """What somebody wants to ask: about a work, or (without one) about a parcel, in private."""

    product_id: int | None
    facility_id: int
    body: str
    city: str = ""
    email: str = ""
    is_public: bool = True
    locale: str = "id"
    #: Asked by who bought it, from the order's page.
    order_id: int | None = None
    parcel_id: int | None = None
    person_id: int | None = None
    is_buyer: bool = False
    request_key: str = ""


def count_message(network: str | None) -> None:
    """Count one more message from this network, over all processes. Commits.

    Raises TooManyQuestions beyond the limit; never with `RATE_LIMITS` off.
    """
    if not current_app.extensions["settings"].rate_limits:
        return
    attempt = attempts.begin("question", network or "", network)
    db.session.commit()
    try:
        attempts.check(attempt)
    except attempts.TooManyTries as refused:
        raise TooManyQuestions() from refused


def ask(wish: Question) -> Enquiry:
    """Begin a thread; the same form sent twice gives the thread that it began. Never commits.

    Raises Invalid with a sentence for each field.
    """
    body, errors = checked(wish.body, LONGEST_QUESTION, wish.request_key)
    city = plain_city(wish.city)
    if wish.city.strip() and not city:
        errors["city"] = _("Tulis nama kota atau kabupaten saja, tanpa angka.")
    email = wish.email.strip().lower()
    if email and not is_email(email):
        errors["email"] = _("Tulis alamat surel seperti nama@contoh.id, atau kosongkan.")
    if errors:
        raise Invalid(errors)
    if (known := began_by(wish.request_key)) is not None:
        return known
    enquiry = Enquiry(
        kind="question", facility_id=wish.facility_id, product_id=wish.product_id, order_id=wish.order_id,
        parcel_id=wish.parcel_id, person_id=wish.person_id,
        is_public=wish.is_public and wish.product_id is not None, is_buyer=wish.is_buyer, city=city, locale=wish.locale,
    )  # fmt: skip
    return begin_thread(enquiry, body, wish.request_key, city=city, email=email)


def begin_thread(
    enquiry: Enquiry, body: str, request_key: str, *, city: str = "", email: str = ""
) -> Enquiry:
    """Put a thread and its first message down, checked by the caller. Never commits."""
    db.session.add(enquiry)
    db.session.flush()
    if email:
        db.session.add(EnquiryContact(enquiry_id=enquiry.id, email=email))
    _say(enquiry, "asker", body, request_key, _why(body, city))
    return enquiry


def began_by(request_key: str) -> Enquiry | None:
    """The thread that this very form has begun before."""
    known = _of_key(request_key)
    return db.session.get_one(Enquiry, known.enquiry_id) if known is not None else None


def write_again(enquiry: Enquiry, body: str, request_key: str) -> EnquiryMessage:
    """The asker adds a message to the thread. Never commits. Raises Invalid, TooManyMessages."""
    text, errors = checked(body, LONGEST_QUESTION, request_key)
    if errors:
        raise Invalid(errors)
    known = _of_key(request_key)
    if known is not None and known.enquiry_id == enquiry.id:
        return known
    db.session.execute(select(Enquiry.id).where(Enquiry.id == enquiry.id).with_for_update())
    authors = db.session.scalars(
        select(EnquiryMessage.author)
        .where(EnquiryMessage.enquiry_id == enquiry.id)
        .order_by(EnquiryMessage.id.desc())
        .limit(MOST_UNANSWERED)
    ).all()
    if authors.count("asker") == MOST_UNANSWERED:
        raise TooManyMessages()
    return _say(enquiry, "asker", text, request_key, _why(text))


def answer(enquiry: Enquiry, body: str, request_key: str, person_id: int) -> EnquiryMessage:
    """The facility answers; the asker is told as soon as it is shown. Never commits. Raises Invalid."""
    text, errors = checked(body, LONGEST_ANSWER, request_key)
    if errors:
        raise Invalid(errors)
    known = _of_key(request_key)
    if known is not None:
        return known
    message = _say(enquiry, "facility", text, request_key, _why(text), person_id)
    if message.is_shown:
        letters.tell_asker(message)
    return message


def _say(
    enquiry: Enquiry, author: str, body: str, key: str, reasons: list[str], person_id: int | None = None
) -> EnquiryMessage:
    made = db.session.execute(
        upsert(EnquiryMessage)
        .values(
            enquiry_id=enquiry.id,
            author=author,
            person_id=person_id,
            body=body,
            request_key=key,
            is_shown=False,
        )
        .on_conflict_do_nothing(index_elements=["request_key"])
        .returning(EnquiryMessage.id)
    ).scalar()
    if made is None:  # the same form, sent twice at the same moment
        raise Invalid({"body": _("Pesan ini sudah kami terima.")})
    message = db.session.get_one(EnquiryMessage, made)
    kind = "question" if author == "asker" else "answer"
    item = submit(kind, message.id, facility_id=enquiry.facility_id, reasons=reasons)
    message.is_shown = item.is_public
    db.session.flush()
    if message.is_shown and author == "asker":
        letters.tell_facility(message)
    return message


def _of_key(request_key: str) -> EnquiryMessage | None:
    return db.session.scalar(select(EnquiryMessage).where(EnquiryMessage.request_key == request_key))


def checked(body: str, longest: int, request_key: str) -> tuple[str, dict[str, object]]:
    """What was written, cleaned, and a sentence where it is too short or too long or its form too old."""
    text = content_rule.clean(body)
    if not is_key(request_key):
        return text, {"body": TOO_OLD}
    if len(text) < SHORTEST:
        return text, {"body": _("Tulis sedikit lebih panjang, supaya jelas maksudnya.")}
    if len(text) > longest:
        return text, {"body": _("Paling panjang %(most)d huruf. Persingkat dulu.", most=longest)}
    return text, {}


def _why(body: str, city: str = "") -> list[str]:
    found = content_rule.reasons(body, city)
    return found if is_known(city) else [*found, "city"]
