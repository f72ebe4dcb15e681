"""*Data saya*: a link to an address shows and erases what is held about its owner.

The link goes to the address alone and opens for a day; whoever asks is answered before anybody has looked whether
anything is held. Its token is computed, never stored. Erasing is remembered until nothing is left that is needed, then
the address itself is forgotten too.
"""

from __future__ import annotations

import datetime
import hmac

import structlog
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import delete, func, select

from storefront.errors import NotFound
from storefront.extensions import db, defer
from storefront.keyed import in_address, keyed_check
from storefront.mail.notify import Recipient, notify
from storefront.mail.transport import Letter
from storefront.mail.write import linked_letter
from storefront.people import attempts, personal_data
from storefront.people.models import DataRequest
from storefront.people.personal_data import Subject, Waits

log = structlog.get_logger("storefront.people")
#: How long a link opens.
VALID = datetime.timedelta(hours=24)


def ask(email: str, *, locale: str, address: str | None) -> None:
    """Queue a letter with the link to an address, in small letters. Commits the try, then the question.

    Raises TooManyTries, for every address alike.
    """
    attempt = attempts.begin("my_data", email, address)
    db.session.commit()
    attempts.check(attempt)
    request = DataRequest(email=email, locale=locale, expires_at=_now() + VALID)
    db.session.add(request)
    db.session.flush()
    defer("people.send_data_link", request_id=request.id)
    db.session.commit()


def of_order(order_id: int, *, locale: str) -> DataRequest:
    """A request for one order alone, by whoever holds its link and gave no address. Never commits."""
    query = select(DataRequest).where(DataRequest.order_id == order_id, DataRequest.erased_at.is_(None))
    known = db.session.scalar(query.order_by(DataRequest.id).limit(1))
    if known is None:
        known = DataRequest(order_id=order_id, locale=locale, expires_at=_now() + VALID)
        db.session.add(known)
        db.session.flush()
    known.expires_at = _now() + VALID
    return known


def send_link(request_id: int) -> str:
    """Send the letter if anything is held about the address; what came of it, in a word. Commits.

    Raises MailNotTaken, so that the job tries again.
    """
    request = db.session.get(DataRequest, request_id)
    if request is None or request.sent_at is not None or request.email is None:
        return "nothing to send"
    if not personal_data.is_known(Subject(email=request.email)):
        db.session.delete(request)
        db.session.commit()
        return "unknown"
    recipient, letter = Recipient(email=request.email), _letter(request)
    db.session.rollback()  # nothing stays open while the mail server thinks
    notify(recipient, letter)
    request = db.session.get_one(DataRequest, request_id)
    request.sent_at = _now()
    db.session.commit()
    return "sent"


def token(request: DataRequest) -> str:
    """What opens a request: 256 bits, keyed."""
    return in_address(keyed_check("storefront data request", f"{request.id}|{request.created_at.timestamp()}"))


def opened(request_id: int, given: str) -> DataRequest:
    """The request that a token opens, while it does. Raises NotFound."""
    request = db.session.get(DataRequest, request_id)
    expected = token(request) if request is not None else "-" * 43
    if not hmac.compare_digest(expected.encode(), given.encode(errors="replace")) or request is None:
        raise NotFound()
    if request.expires_at < _now() or request.erased_at is not None:
        raise NotFound()
    return request


def subject(request: DataRequest) -> Subject:
    """Whose data it is about."""
    return Subject(email=request.email, order_id=request.order_id)


def erase(request: DataRequest) -> list[Waits]:
    """Erase what is not needed any more and remember to erase the rest; what waits. Never commits."""
    db.session.refresh(request, with_for_update=True)
    if request.erased_at is not None:
        return []
    request.erase_at = request.erase_at or _now()
    who = subject(request)
    personal_data.forget(who)
    left = personal_data.waits(who)
    if not left:
        now = _now()
        request.email, request.erased_at = None, now
    db.session.flush()
    return left


def erase_remembered() -> int:
    """Try again what had to wait, and forget links that opened nothing; how many are done. Commits each."""
    done = 0
    waiting = select(DataRequest.id).where(DataRequest.erase_at.is_not(None), DataRequest.erased_at.is_(None))
    for request_id in db.session.scalars(waiting.order_by(DataRequest.id)).all():
        done += not erase(db.session.get_one(DataRequest, request_id))
        db.session.commit()
    db.session.execute(
        delete(DataRequest).where(DataRequest.expires_at < func.now(), DataRequest.erase_at.is_(None))
    )
    db.session.commit()
    if done:
        log.info("erased what had waited", requests=done)
    return done


def _letter(request: DataRequest) -> Letter:
    path = f"/my-data/{request.id}?token={token(request)}"
    with force_locale(request.locale):
        return linked_letter(
            "my_data", f"my_data:{request.id}", "", request.locale, path, _("Buka data saya")
        )


def _now() -> datetime.datetime:
    now: datetime.datetime = db.session.execute(select(func.now())).scalar_one()
    return now
