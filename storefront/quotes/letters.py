"""The letter with a quote to who asked, and word to the facility of what became of it."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from storefront.enquiries.models import Enquiry, EnquiryContact
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.mail import write
from storefront.mail.letters import writes
from storefront.mail.models import Message
from storefront.mail.owe import owe_about
from storefront.mail.transport import Letter
from storefront.notices.tell import tell
from storefront.quotes.models import Quote, QuoteState
from storefront.quotes.tokens import quote_token

SUBJECT = "quote"


def tell_buyer(quote: Quote, kind: str) -> None:
    """Owe who asked a letter about their quote, once, if there is an address. Never commits."""
    contact = db.session.get(EnquiryContact, quote.enquiry_id)
    if contact is not None and contact.email:
        owe_about(kind, SUBJECT, quote.id)


def tell_facility(quote: Quote, what: str) -> None:
    """Tell the facility what became of its quote, once. Never commits."""
    facility = db.session.get_one(Facility, quote.facility_id)
    path = f"/seller/{facility.code}/quotes/{quote.id}"
    tell(facility.id, "quote", f"quote:{quote.id}:{what}", about=quote.number or "", path=path)


@writes(SUBJECT)
def letter(message: Message) -> Letter | None:
    """The letter that is owed; None when its address was erased or the quote has ended meanwhile."""
    quote = db.session.get(Quote, message.subject_id)
    contact = db.session.get(EnquiryContact, quote.enquiry_id) if quote else None
    if quote is None or quote.state != QuoteState.SENT or contact is None or not contact.email:
        return None
    enquiry = db.session.get_one(Enquiry, quote.enquiry_id)
    return write.linked_letter(
        message.kind,
        message.key,
        contact.email,
        enquiry.locale,
        f"/quotes/{quote.number}?token={quote_token(quote)}",
        _l("Buka penawarannya"),
        number=quote.number,
        facility_name=db.session.get_one(Facility, quote.facility_id).name,
        total=quote.total,
        valid_until=quote.valid_until,
    )
