"""Pages of what a facility says of itself, when it rests, and who works for it."""

from __future__ import annotations

import datetime
import email
import email.policy
import re

from playwright.sync_api import Response

from storefront.days import today
from tests.browser.sights import Sight, at, found, sent
from tests.browser.visitor import Visitor

COORDINATOR, HEAD = "coordinator@demo.test", "head@demo.test"
WORKSHOP = """SELECT w.id FROM workshops w JOIN facilities f ON f.id = w.facility_id
    WHERE f.code = 'PKL' ORDER BY w.name LIMIT 1"""
MEMBER = """SELECT m.id FROM memberships m JOIN facilities f ON f.id = m.facility_id
    WHERE f.code = 'PKL' AND m.role = 'coordinator' AND m.valid_until IS NULL ORDER BY m.id LIMIT 1"""
RESTING = """SELECT p.slug FROM listings l JOIN products p ON p.id = l.product_id
    WHERE l.paused_until IS NOT NULL ORDER BY p.id LIMIT 1"""
ANNOUNCED = "SELECT slug FROM facilities WHERE code = 'BJB'"
YESTERDAY = str(today() - datetime.timedelta(days=1))


def invitation(visitor: Visitor) -> Response:
    """The link of an invitation that the head has just sent."""
    visitor.go("/seller/PKL/team")
    to = f"calon.{visitor.language}.{visitor.page.viewport_size['width']}@contoh.test"  # type: ignore[index]
    visitor.page.locator("#f-name").fill("Calon Koordinator")
    visitor.page.locator("#f-email").fill(to)
    with visitor.page.expect_navigation():
        visitor.page.locator("form[action$='/team/invite'] button").click()

    def link() -> str | None:
        for file in (visitor.shop.shop.var_dir / "mail").glob("invitation.*.eml"):
            letter = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            found = re.search(r"/account/invitation/\S+", letter.get_body(("plain",)).get_content())  # type: ignore[union-attr]
            if letter["To"] == to and found:
                return found[0]
        return None

    return visitor.go(visitor.until(link, "no invitation was sent"))


TEAM_PAGES = [
    Sight("product-resting", "shop.product", found("/products/{}", RESTING)),
    Sight("facility-rest-announced", "shop.facility", found("/facilities/{}", ANNOUNCED)),
    Sight("seller-profile", "seller.profile", at("/seller/PKL/profile"), COORDINATOR),
    Sight("seller-profile-waiting", "seller.profile", at("/seller/PLP/profile"), COORDINATOR),
    Sight("seller-profile-read", "seller.profile", at("/seller/PKL/profile"), HEAD),
    Sight("seller-workshops", "seller.workshop_list", at("/seller/PKL/workshops"), COORDINATOR),
    Sight("seller-workshop", "seller.workshop_page", found("/seller/PKL/workshops/{}", WORKSHOP), COORDINATOR),
    Sight("seller-hours", "seller.hours", at("/seller/PKL/hours"), COORDINATOR),
    Sight("seller-calendar", "seller.calendar", at("/seller/PKL/calendar"), COORDINATOR),
    Sight(
        "seller-calendar-refused", "seller.set_pause",
        sent(
            at("/seller/PKL/calendar"), {"#f-first_day": YESTERDAY, "#f-last_day": YESTERDAY, "#f-reason": "x"},
            "form[action$='/calendar/pause'] button",
        ), COORDINATOR, status=422,
    ),
    Sight("seller-bank-details", "seller.bank_details", at("/seller/PKL/bank-details"), COORDINATOR),
    Sight("seller-team", "seller.team", at("/seller/PKL/team"), HEAD),
    Sight("seller-team-end", "seller.ask_end", found("/seller/PKL/team/{}/end", MEMBER), HEAD),
    Sight("seller-team-handover", "seller.ask_handover", found("/seller/PKL/team/{}/handover", MEMBER), HEAD),
    Sight("invitation", "account.open_invitation", invitation, HEAD),
]  # fmt: skip

#: A PDF, and addresses that only lead back.
NO_TEAM_PAGES = {"seller.handover_minute"}
