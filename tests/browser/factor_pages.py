"""Pages of the second factor, as a member of staff outside the demo's accounts sees them."""

from __future__ import annotations

import pyotp
from playwright.sync_api import Response
from sqlalchemy import func, select, update

from storefront.extensions import db
from storefront.people import factor_resets, roles, second_factor, sessions
from storefront.people.factor_models import SecondFactor
from storefront.people.models import Membership, Person, Session
from tests.browser.sights import Sight, at
from tests.browser.visitor import Visitor
from tests.staff import password_hash


def member(language: str, *, phone: bool) -> Person:
    """Somebody in finance, with or without a phone set up."""
    email = f"{'dengan' if phone else 'tanpa'}-ponsel-{language}@contoh.id"
    person = db.session.scalar(select(Person).where(Person.email == email))
    if person is None:
        person = Person(email=email, name="Pegawai baru", password_hash=password_hash(), locale=language)
        db.session.add(person)
        db.session.flush()
        db.session.add(Membership(person_id=person.id, role="finance"))
    if phone and second_factor.of(person.id) is None:
        secret = second_factor.secret(second_factor.begin(person))
        second_factor.confirm(person, pyotp.TOTP(secret).now())
    return person


def signed_in_by_password(visitor: Visitor, *, phone: bool) -> Response:
    """The page after the right password, of somebody in finance with or without a phone set up."""
    with visitor.shop.app.test_request_context():
        email = member(visitor.language, phone=phone).email
        db.session.commit()
    visitor.go("/login")
    visitor.page.locator("#f-email").fill(email)
    visitor.page.locator("#f-password").fill("demo")
    with visitor.page.expect_navigation() as navigation:
        visitor.page.locator("#login [type=submit]").first.click()
    return navigation.value  # type: ignore[return-value]


def next_code(visitor: Visitor) -> str:
    """What the phone shows next, whatever was used before."""
    with visitor.shop.app.test_request_context():
        email = f"dengan-ponsel-{visitor.language}@contoh.id"
        person = db.session.scalars(select(Person).where(Person.email == email)).one()
        factor = second_factor.of(person.id)
        assert factor is not None
        db.session.execute(update(SecondFactor).where(SecondFactor.id == factor.id).values(last_step=None))
        db.session.commit()
        return pyotp.TOTP(second_factor.secret(factor)).now()


def written(visitor: Visitor, field: str, code: str) -> Response:
    """Write a code into its field and send it."""
    visitor.page.locator(field).fill(code)
    with visitor.page.expect_navigation() as navigation:
        visitor.page.locator(f"form:has({field}) [type=submit]").click()
    return navigation.value  # type: ignore[return-value]


def set_up(visitor: Visitor) -> Response:
    return signed_in_by_password(visitor, phone=False)


def wrong_code(visitor: Visitor) -> Response:
    signed_in_by_password(visitor, phone=True)
    return written(visitor, "#f-code", "000000")


def inside(visitor: Visitor) -> Response:
    signed_in_by_password(visitor, phone=True)
    written(visitor, "#f-code", next_code(visitor))
    return visitor.go("/account/second-factor")


def paper(visitor: Visitor) -> Response:
    inside(visitor)
    return written(visitor, "#f-paper", next_code(visitor))


def another_phone(visitor: Visitor) -> Response:
    inside(visitor)
    return written(visitor, "#f-phone", next_code(visitor))


def asked_again(visitor: Visitor) -> Response:
    """Something about money, long after the last code."""
    inside(visitor)
    with visitor.shop.app.test_request_context():
        old = func.now() - 2 * sessions.PROOF_HOLDS
        db.session.execute(update(Session).where(Session.factor_at.is_not(None)).values(proven_at=old))
        db.session.commit()
    visitor.go("/finance/satkers")
    with visitor.page.expect_navigation() as navigation:
        visitor.page.locator("main form[method=post] [type=submit]").first.click()
    return navigation.value  # type: ignore[return-value]


def somebody(visitor: Visitor, *, lost: bool = False) -> Response:
    """Somebody with a phone, as an administrator sees them; or it is lost, one of two has asked for a new one, and
    proposed a further role.
    """
    with visitor.shop.app.test_request_context():
        person_id = member(visitor.language, phone=True).id
        if lost:
            by = db.session.scalars(select(Person.id).where(Person.email == "finance@demo.test")).one()
            factor_resets.ask(person_id, "Ponsel hilang di angkutan", by)
            roles.propose(person_id, "curator", "", by)
        db.session.commit()
    return visitor.go(f"/admin/people/{person_id}")


def lost_phone(visitor: Visitor) -> Response:
    return somebody(visitor, lost=True)


ADMINISTRATOR = "admin@demo.test"
FACTOR_PAGES = (
    Sight("people", "admin.people", at("/admin/people"), ADMINISTRATOR),
    Sight("people-none", "admin.people", at("/admin/people?q=tidak-ada-siapa"), ADMINISTRATOR),
    Sight("staff-member", "admin.staff_member", somebody, ADMINISTRATOR),
    Sight("staff-member-phone-lost", "admin.staff_member", lost_phone, ADMINISTRATOR),

    Sight("second-factor-demo", "account.second_factor_page", at("/account/second-factor"), "finance@demo.test"),
    Sight("phone-to-set-up", "account.set_up", set_up),
    Sight("code-wrong", "account.code", wrong_code, status=422),
    Sight("second-factor", "account.second_factor_page", inside),
    Sight("codes-on-paper", "account.second_factor_page", paper),
    Sight("another-phone", "account.new_phone", another_phone),
    Sight("code-asked-again", "account.second_factor_page", asked_again, status=403),
)
