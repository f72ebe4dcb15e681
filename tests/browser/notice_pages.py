"""Pages of what coordinators are told, keep and certify."""

from __future__ import annotations

from playwright.sync_api import Response

from tests.browser.sights import Sight, Way, at, found, sent
from tests.browser.visitor import Visitor

COORDINATOR, HEAD = "coordinator@demo.test", "head@demo.test"
CERTIFICATE = "SELECT code FROM sale_certificates ORDER BY id LIMIT 1"
REPLY = """SELECT r.id FROM canned_replies r JOIN facilities f ON f.id = r.facility_id AND f.code = 'PKL'
    ORDER BY r.id LIMIT 1"""
OF_PARCEL = """SELECT e.id FROM enquiries e JOIN facilities f ON f.id = e.facility_id AND f.code = 'PKL'
    WHERE e.parcel_id IS NOT NULL ORDER BY e.id LIMIT 1"""
ON_ITS_WAY = """SELECT o.number FROM orders o JOIN parcels p ON p.order_id = o.id AND p.state = 'to_pack'
    WHERE o.channel = 'online' ORDER BY o.id DESC LIMIT 1"""


def of_parcel(visitor: Visitor) -> Response:
    """The form to ask about a parcel, from its order's page."""
    number = visitor.shop.value(ON_ITS_WAY)
    visitor.go(visitor.shop.order_link(number))
    return visitor.go(f"/orders/{number}/parcels/1/ask")


def refused(path: str, fields: dict[str, str], button: str) -> Way:
    return sent(at(path), fields, button)


NOTICE_PAGES = [
    Sight("seller-notices", "seller.notices", at("/seller/PKL/notices"), COORDINATOR),
    Sight("seller-replies", "seller.reply_list", at("/seller/PKL/replies"), COORDINATOR),
    Sight("seller-reply", "seller.reply_page", found("/seller/PKL/replies/{}", REPLY), COORDINATOR),
    Sight(
        "seller-reply-refused", "seller.add_reply",
        refused("/seller/PKL/replies", {"#f-name": "", "#f-body": ""}, "main .fields button"), COORDINATOR, status=422,
    ),
    Sight("seller-views", "seller.view_list", at("/seller/PKL/views"), COORDINATOR),
    Sight("seller-certificates", "seller.certificate_list", at("/seller/PKL/certificates"), COORDINATOR),
    Sight("seller-certificates-read", "seller.certificate_list", at("/seller/PKL/certificates"), HEAD),
    Sight("certificate", "shop.certificate", found("/certificates/{}", CERTIFICATE)),
    Sight("order-ask-parcel", "checkout.ask_of_parcel", of_parcel),
    Sight(
        "seller-question-parcel", "seller.question", found("/seller/PKL/questions/{}", OF_PARCEL), COORDINATOR
    ),
]  # fmt: skip
NO_NOTICE_PAGES = {
    "seller.waiting_now", "seller.after_device", "seller.after_reply_step",
    "seller.certificate_file",
}  # fmt: skip
