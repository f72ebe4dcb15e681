"""A purchase through Stripe in a real browser: the shop as it runs, and Stripe's fake as a server of its own.

The shop is small and not the demo: two facilities, a few goods.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from storefront import create_app
from storefront.books import connected_accounts, settle
from storefront.books.settle import Wish
from storefront.catalogue.shown_state import refresh_shown_state
from storefront.days import today
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.ledger.models import Fund
from storefront.people.models import Person
from tests.browser import purchase
from tests.browser.look import faults
from tests.browser.shop import LiveShop, serve
from tests.browser.visitor import LANGUAGES, SIZES, TIMEOUT, Visitor, sign_in
from tests.clones import TestServer, settings_for, worker_name
from tests.selling import Shop, open_shop
from tests.staff import make_account
from tests.stripe_fake.run import FakeStripe, fake_stripe

FINANCE, SECOND = "finance@demo.test", "finance2@demo.test"
PAID = "SELECT count(*) FROM orders WHERE state = 'paid'"


@pytest.fixture(scope="module")
def stripe() -> Iterator[FakeStripe]:
    with fake_stripe() as fake:
        yield fake


@pytest.fixture(scope="module")
def stripe_shop(
    stripe: FakeStripe, database_server: TestServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveShop]:
    """A running shop that takes money through the fake; in the end its books must agree."""
    clone = database_server.clone(f"storefront_stripe_{worker_name()}")
    var_dir = tmp_path_factory.mktemp("stripe")
    with create_app(settings_for(clone.addresses, var_dir)).app_context():
        register_accounts(open_shop())
        # A worker does this within seconds; the first page may be asked for before it has started.
        refresh_shown_state(None)
        db.session.commit()
    with serve(clone, var_dir / "media", var_dir, **stripe.settings(STRIPE_CONNECT="on")) as live:
        stripe.tell("delivery", url=f"{live.address}/webhooks/stripe")
        yield live
        verdict = live.shop.command("verify")
    clone.close()
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


def register_accounts(shop: Shop) -> None:
    """Finance has registered one facility's account at Stripe; another one waits for its second person."""
    first, second = (make_account("finance", email=email).id for email in (FINANCE, SECOND))
    for facility, account in ((shop.pekalongan, "acct_browserone"), (shop.ambon, "acct_browsertwo")):
        found = connected_accounts.propose(
            facility.id,
            account=account,
            permission_letter="S-1/KPPN/2026",
            valid_from=today(),
            person_id=first,
        )
        if facility is shop.pekalongan:
            connected_accounts.approve(found.id, second)
    db.session.commit()


@pytest.fixture
def shopper(browser: Browser, stripe_shop: LiveShop) -> Iterator[Visitor]:
    width, height = SIZES["phone"]
    context = browser.new_context(
        base_url=stripe_shop.address, viewport={"width": width, "height": height}, reduced_motion="reduce"
    )
    context.set_default_timeout(TIMEOUT)
    yield Visitor(context.new_page(), stripe_shop, "id", "phone")
    context.close()


def at_the_payment_page(shopper: Visitor, stripe: FakeStripe) -> None:
    """Order one cloth by the pages, with whatever stands in the way of a real shopper, the policy for forms too."""
    shopper.go("/products/kain-batik")
    purchase.put_in_cart(shopper)
    purchase.go_to_checkout(shopper)
    purchase.fill_in(shopper, purchase.GUEST)
    purchase.reckon_shipping(shopper)
    purchase.order_button(shopper).click()
    shopper.page.wait_for_url(f"{stripe.address}/c/pay/*")
    expect(shopper.page.locator("#total")).to_have_text("Rp 112000")


def test_the_shopper_pays_by_card_and_comes_back_to_a_paid_order(
    shopper: Visitor, stripe: FakeStripe
) -> None:
    at_the_payment_page(shopper, stripe)
    page = shopper.page
    page.get_by_role("button", name="Pay by a card that is declined").click()
    expect(page.get_by_role("alert")).to_have_text("Your card was declined.")
    page.get_by_role("button", name="Pay by card").click()
    page.wait_for_url(lambda url: "/orders/" in url and "token" not in url)
    expect(page.locator(".order-head .pill")).to_have_text("Sudah dibayar")
    fee = "SELECT fee FROM payments WHERE state = 'succeeded' ORDER BY created_at LIMIT 1"
    # 2.9 % and Rp 2.000 of Rp 112.000, and 11 % tax on that.
    assert shopper.until(lambda: shopper.shop.value(fee), "the fee was never told") == 5_825


def test_the_order_is_paid_although_the_shopper_closes_the_tab(shopper: Visitor, stripe: FakeStripe) -> None:
    before = shopper.shop.value(PAID)
    at_the_payment_page(shopper, stripe)
    session = shopper.page.url.rsplit("/", 1)[1]
    shopper.page.goto("about:blank")
    stripe.tell("pay", session=session, method="gopay")
    shopper.until(lambda: shopper.shop.value(PAID) == before + 1, "the order was never paid")


def test_whoever_comes_back_without_paying_can_go_there_again(shopper: Visitor, stripe: FakeStripe) -> None:
    at_the_payment_page(shopper, stripe)
    page = shopper.page
    page.get_by_role("link", name="Back").click()
    page.wait_for_url(lambda url: "/orders/" in url and "token" not in url)
    page.get_by_role("link", name="Kembali ke halaman pembayaran").click()
    page.wait_for_url(f"{stripe.address}/c/pay/*")
    page.get_by_role("button", name="Pay by card").click()
    page.wait_for_url(lambda url: "/orders/" in url and "token" not in url)
    expect(page.locator(".order-head .pill")).to_have_text("Sudah dibayar")


def settled_by_transfer(shop: LiveShop) -> int:
    """Working capital of what was sold here is on its way to the facility's account; the settlement's id."""
    with shop.app.app_context():
        first, second = (
            db.session.execute(select(Person.id).where(Person.email == email)).scalar_one()
            for email in (FINANCE, SECOND)
        )
        facility = db.session.execute(select(Facility.id).where(Facility.code == "PKL")).scalar_one()
        fund = db.session.execute(select(Fund.id).where(Fund.code == "working_capital")).scalar_one()
        (found,) = settle.propose([Wish(facility, fund, 5_000)], person_id=first)
        db.session.commit()
        settle.approve([found.id], second)
        db.session.commit()
        return found.id


def test_pages_of_transfers_are_whole_in_both_languages(shopper: Visitor, stripe: FakeStripe) -> None:
    """They are there only while transfers are on, so they are no sights of the demo."""
    at_the_payment_page(shopper, stripe)
    stripe.tell("pay", session=shopper.page.url.rsplit("/", 1)[1])
    known = "SELECT count(*) FROM payments WHERE state = 'succeeded' AND fee IS NOT NULL"
    shopper.until(lambda: shopper.shop.value(known), "the payment was never booked")
    settlement = settled_by_transfer(shopper.shop)
    assert shopper.shop.value("SELECT count(*) FROM facility_transfers") > 0
    sign_in(shopper.page, FINANCE)
    paths = ("connected-accounts", "settlements", "settlements/new", f"settlements/{settlement}")
    for language in LANGUAGES:
        shopper.language = language
        for path in paths:
            shopper.go(f"/finance/{path}")
            for size in SIZES:
                shopper.resize(size)
                assert faults(shopper, 200) == [], (path, language, size)
    assert "Stripe" in shopper.text
