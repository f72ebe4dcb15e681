"""The link to a thread: a keyed token, computed and never stored, which opens it for whoever asked."""

from __future__ import annotations

import hmac
import re

from sqlalchemy import func, select

from storefront.enquiries.models import Enquiry, EnquiryMessage
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.keyed import in_address, keyed_check
from storefront.people import attempts

#: Days after the last message during which the link still opens the thread.
VALID_DAYS = 180
TOKEN = re.compile(r"([0-9]{1,18})-([A-Za-z0-9_-]{43})")


def thread_token(enquiry: Enquiry) -> str:
    """The thread's token: its id and a MAC, the same in every letter until its version is raised."""
    check = keyed_check("storefront enquiry token", f"{enquiry.id}|{enquiry.token_version}")
    return f"{enquiry.id}-{in_address(check)}"


def open_thread(token: str, network: str | None) -> Enquiry:
    """The thread of `token`. Wrong tokens are counted (and committed).

    Raises NotFound alike for a wrong token and a thread that ended long ago, `attempts.TooManyTries` after many.
    """
    parts = TOKEN.fullmatch(token)
    found = db.session.get(Enquiry, int(parts[1])) if parts else None
    expected = thread_token(found) if found is not None else "-"
    if found is None or not hmac.compare_digest(expected.encode(), token.encode(errors="replace")):
        attempt = attempts.begin("question_token", parts[1] if parts else "", network)
        db.session.commit()
        attempts.check(attempt)
        raise NotFound()
    last, now = db.session.execute(
        select(func.max(EnquiryMessage.created_at), func.now()).where(EnquiryMessage.enquiry_id == found.id)
    ).one()
    if last is not None and (now - last).days > VALID_DAYS:
        raise NotFound()
    return found
