"""Letters to who asked, in the thread's language, and word to the facility."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from storefront.catalogue.models import Product
from storefront.enquiries.models import Enquiry, EnquiryContact, EnquiryMessage
from storefront.enquiries.tokens import thread_token
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.mail import write
from storefront.mail.letters import writes
from storefront.mail.models import Message
from storefront.mail.owe import owe_about
from storefront.mail.transport import Letter
from storefront.notices.tell import tell
from storefront.orders.models import Order, Parcel

SUBJECT = "enquiry_message"


def tell_asker(message: EnquiryMessage) -> None:
    """Owe the asker a letter about an answer, once, if there is an address. Never commits."""
    contact = db.session.get(EnquiryContact, message.enquiry_id)
    if contact is not None and contact.email:
        owe_about("question_answered", SUBJECT, message.id)


def tell_facility(message: EnquiryMessage) -> None:
    """Tell the facility that somebody asks, once, by a letter that opens exactly that thread. Never commits."""
    enquiry = db.session.get_one(Enquiry, message.enquiry_id)
    facility = db.session.get_one(Facility, enquiry.facility_id)
    about = _product_title(enquiry, "id") or _parcel_code(enquiry) or str(_("pesanan besar"))
    path = f"/seller/{facility.code}/questions/{enquiry.id}"
    tell(facility.id, "question", f"question:{message.id}", about=about, path=path)


def _product_title(enquiry: Enquiry, locale: str) -> str:
    """Of the work that was asked about; empty when it was a parcel."""
    product = db.session.get(Product, enquiry.product_id) if enquiry.product_id else None
    return ((product.title_en if locale == "en" else "") or product.title) if product else ""


def _parcel_code(enquiry: Enquiry) -> str:
    parcel = db.session.get(Parcel, enquiry.parcel_id) if enquiry.parcel_id else None
    return f"{db.session.get_one(Order, parcel.order_id).number}/{parcel.position}" if parcel else ""


def _about(enquiry: Enquiry) -> object:
    """What a thread without a work is about, said in the reader's language."""
    if enquiry.kind == "large_order":
        return _l("pesanan besar")
    return _l("kiriman %(code)s", code=_parcel_code(enquiry))


@writes(SUBJECT)
def letter(message: Message) -> Letter | None:
    """The letter that is owed; None when its address was erased or the answer taken back."""
    said = db.session.get(EnquiryMessage, message.subject_id)
    contact = db.session.get(EnquiryContact, said.enquiry_id) if said else None
    if said is None or not said.is_shown or contact is None or not contact.email:
        return None
    enquiry = db.session.get_one(Enquiry, said.enquiry_id)
    return write.linked_letter(
        message.kind,
        message.key,
        contact.email,
        enquiry.locale,
        f"/questions/{thread_token(enquiry)}",
        _l("Baca dan balas"),
        product_title=_product_title(enquiry, enquiry.locale) or _about(enquiry),
        facility_name=db.session.get_one(Facility, enquiry.facility_id).name,
        answer=said.body,
    )
