"""Pages of the account: ways in, addresses, wishes, letters."""

from __future__ import annotations

from playwright.sync_api import Response, expect
from sqlalchemy import select

from storefront.extensions import db
from storefront.people import letter_choices, links
from storefront.people.models import MailedLink, Person
from tests.browser import purchase
from tests.browser.purchase import CLOTH, CRISPS
from tests.browser.sights import Sight, at, found
from tests.browser.visitor import Visitor

SHOPPER = "shopper@demo.test"
OWN_ADDRESS = """SELECT a.id FROM saved_addresses a JOIN people p ON p.id = a.person_id
    WHERE p.email = 'shopper@demo.test' ORDER BY a.id LIMIT 1"""


def asked(visitor: Visitor) -> Response:
    """A link was asked for."""
    visitor.go("/login")
    visitor.page.locator("#f-email").fill("baru@contoh.id")
    with visitor.page.expect_navigation() as navigation:
        visitor.page.locator("[formaction$='/login/link']:not([name])").click()
    return navigation.value  # type: ignore[return-value]


def link_of(visitor: Visitor, purpose: str, email: str) -> str:
    """A living link, as a letter has it, that this browser has not asked for; its token."""
    with visitor.shop.app.app_context():
        person = db.session.scalars(select(Person).where(Person.email == SHOPPER)).one()
        owner = person.id if purpose == links.NEW_EMAIL else None
        links._make(MailedLink(purpose=purpose, email=email, person_id=owner, locale="id"))
        newest = select(MailedLink).where(MailedLink.email == email).order_by(MailedLink.id.desc())
        return links.token(db.session.scalars(newest).first())  # type: ignore[arg-type]


def sign_up(visitor: Visitor) -> Response:
    return visitor.go(f"/login/link/{link_of(visitor, links.SIGN_IN, 'baru@contoh.id')}")


def new_email(visitor: Visitor) -> Response:
    return visitor.go(f"/account/email/{link_of(visitor, links.NEW_EMAIL, 'pindah@contoh.id')}")


def end_letters(visitor: Visitor) -> Response:
    with visitor.shop.app.app_context():
        whole = letter_choices.unsubscribe_link("baru@contoh.id", letter_choices.BACK_IN_STOCK, "id")
    return visitor.go("/letters/" + whole.rpartition("/")[2])


def guests_wishes(visitor: Visitor) -> Response:
    """A guest's list, which the browser asks for."""
    visitor.go(f"/products/{CLOTH.slug}")
    visitor.page.locator(".title-row .heart").click()
    response = visitor.go("/wishlist")
    expect(visitor.page.locator(".wish")).to_have_count(1)
    return response


def offered_addresses(visitor: Visitor) -> Response:
    """Checkout, with the saved addresses above the form."""
    visitor.go(f"/products/{CLOTH.slug}")
    purchase.put_in_cart(visitor)
    return visitor.go("/checkout")


ACCOUNT_PAGES = [
    Sight("login-link-sent", "account.link_sent", asked),
    Sight("login-link-new", "account.open_link", sign_up),
    Sight("login-link-dead", "account.open_link", at(f"/login/link/{'x' * 43}"), status=410),
    Sight("account-new-email", "account.open_new_email", new_email),
    Sight("account-password", "account.password", at("/account/password"), SHOPPER),
    Sight("account-email", "account.email", at("/account/email"), SHOPPER),
    Sight("account-letters", "account.letters", at("/account/letters"), SHOPPER),
    Sight("account-addresses", "account.address_list", at("/account/addresses"), SHOPPER),
    Sight("account-address-new", "account.new_address", at("/account/addresses/new"), SHOPPER),
    Sight("account-address", "account.show_address", found("/account/addresses/{}", OWN_ADDRESS), SHOPPER),
    Sight("checkout-addresses", "checkout.show", offered_addresses, SHOPPER),
    Sight("wish-list", "shop.wish_list", at("/wishlist"), SHOPPER),
    Sight("wish-list-guest", "shop.wish_list", guests_wishes),
    Sight("wish-list-shared", "shop.wish_list", at(f"/wishlist?items={CLOTH.slug},{CRISPS.slug}")),
    Sight("letters-ended", "shop.letter_choice", end_letters),
]

#: Ways back to a page, and what a browser asks for.
NO_ACCOUNT_PAGES = {
    "account.after_address_step",
    "shop.guests_wishes",
}  # fmt: skip
