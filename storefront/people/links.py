"""Links that are mailed: to sign in (and so to sign up), and to take over a new address.

Whoever asks is answered before anybody has looked whether there is such an account; a job looks and writes. The token
is computed for the letter and kept as a hash alone. A link works once, for twenty minutes. Nothing happens by opening
it, as programs that read mail open links too; a button does it.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
from dataclasses import dataclass

import structlog
from flask_babel import force_locale
from flask_babel import gettext as _t
from flask_babel import lazy_gettext as _
from sqlalchemy import delete, func, select, update

from storefront.audit.record import record
from storefront.errors import DomainError
from storefront.extensions import db, defer
from storefront.keyed import in_address, keyed_check
from storefront.mail.notify import Recipient, notify
from storefront.mail.transport import Letter
from storefront.mail.write import letter, linked_letter
from storefront.people import attempts, passwords, policy, second_factor, sessions
from storefront.people.models import MailedLink, Person

log = structlog.get_logger("storefront.people")

#: How long a link works; after `KEPT` more it is forgotten.
VALID = datetime.timedelta(minutes=20)
KEPT = datetime.timedelta(days=1)
SIGN_IN, NEW_EMAIL = "sign_in", "new_email"


class LinkDead(DomainError):
    """Used, run out, or none at all: which of them is not said."""

    code, status = "link_dead", 410
    message = _("Tautan ini sudah dipakai atau kedaluwarsa. Minta yang baru; tautan berlaku 20 menit dan satu kali.")


class StaffByPassword(DomainError):
    """Somebody with a role and no second factor yet: reading their mail is not enough to work for them."""

    code, status = "staff_by_password", 403
    message = _("Akun petugas tanpa kode ponsel tidak masuk dengan tautan. Masuklah dengan kata sandi.")


@dataclass(frozen=True)
class Entered:
    """Who came by a link, whether their account is new, and the page that it leads to."""

    person: Person
    is_new: bool
    back: str


def ask(email: str, *, back: str, locale: str, browser: str | None, address: str | None) -> None:
    """Queue a letter with a link that signs in whoever reads `email` (lower case); the same for every address.

    `browser` is a secret of the asking browser, None when another one is as good. Commits the try, then the question.
    Raises TooManyTries, for every address alike.
    """
    _count(email, address)
    _make(MailedLink(purpose=SIGN_IN, email=email, back=back, locale=locale, browser_hash=browser_hash(browser)))


def ask_new_email(person: Person, email: str, *, locale: str, browser: str | None, address: str | None) -> None:
    """Queue a letter to a new address, whose link makes it the person's. Commits. Raises TooManyTries."""
    person_id = person.id
    _count(email, address)
    record("person.email_change_asked", "person", person_id, person_id=person_id)
    _make(
        MailedLink(
            purpose=NEW_EMAIL,
            email=email,
            person_id=person_id,
            back="/account",
            locale=locale,
            browser_hash=browser_hash(browser),
        )
    )


def find(token: str, purpose: str, address: str | None = None) -> MailedLink:
    """The living link of a token, for its own purpose. Raises LinkDead, and TooManyTries after many that never were."""
    hashed = hashlib.sha256(token.encode(errors="replace")).digest()
    link = db.session.scalar(select(MailedLink).where(MailedLink.token_hash == hashed))
    if link is None:
        attempt = attempts.begin("link_token", token[:43], address)
        db.session.commit()
        attempts.check(attempt)
        raise LinkDead()
    if link.purpose != purpose or link.used_at is not None or link.expires_at <= _now():
        raise LinkDead()
    return link


def asked_here(link: MailedLink, browser: str | None) -> bool:
    """Whether this browser is the one that asked for it."""
    hashed = browser_hash(browser)
    return hashed is not None and link.browser_hash is not None and hmac.compare_digest(hashed, link.browser_hash)


def is_known(link: MailedLink) -> bool:
    """Whether the address has an account already."""
    return db.session.scalar(select(Person.id).where(Person.email == link.email)) is not None


def enter(link: MailedLink, *, name: str = "", password: str = "") -> Entered:
    """Use a link: who it signs in, or a new account where there was none, with its name and password if any.

    Never commits. Of several at once one succeeds. Raises LinkDead, StaffByPassword, and Invalid (`password`) before
    it is used.
    """
    email = link.email
    _lock(email)
    person = db.session.scalar(select(Person).where(Person.email == email).execution_options(populate_existing=True))
    if person is None and password:
        passwords.check_new(password, email=email, name=name)
    if person is not None:
        if by_password_alone(person):
            raise StaffByPassword()
        if not person.is_active or (person.is_demo and not sessions.is_demo_shop()):
            raise LinkDead()
    _use(link, SIGN_IN)
    is_new = person is None
    if person is None:
        person = _sign_up(link, name, password)
    person.email_proven_at = person.email_proven_at or _now()
    db.session.flush()
    return Entered(person, is_new, link.back)


def by_password_alone(person: Person) -> bool:
    """Whether a link would be all that it takes to work for the person: staff without a phone's code after it."""
    return policy.is_staff(person) and (person.is_demo or second_factor.of(person.id) is None)


def change_email(link: MailedLink) -> Person:
    """Use a link: the address becomes the person's, and the address before is told. Never commits.

    Raises LinkDead, also when somebody else has the address by now.
    """
    _lock(link.email)
    person = db.session.get(Person, link.person_id, with_for_update=True, populate_existing=True)
    taken = db.session.scalar(select(Person.id).where(Person.email == link.email))
    if person is None or taken is not None or not person.is_active or person.is_demo or policy.is_staff(person):
        raise LinkDead()
    _use(link, NEW_EMAIL)
    former, person.email, person.email_proven_at = person.email, link.email, _now()
    link.former_email = former
    # Links that lie in the old mailbox open nothing any more.
    _end_links(MailedLink.email == former)
    _end_links(MailedLink.person_id == person.id)
    record("person.email_changed", "person", person.id, person_id=person.id)
    db.session.flush()
    defer("people.tell_former_email", link_id=link.id)
    return person


def send(link_id: int) -> str:
    """Send the letter; what came of it, in a word. Commits. Raises MailNotTaken, so that the job tries again."""
    link = db.session.get(MailedLink, link_id)
    if link is None or link.sent_at is not None or link.used_at is not None or link.expires_at <= _now():
        return "nothing to send"
    written = _letter(link)
    if written is None:
        db.session.rollback()
        return "nobody"
    to = link.email
    db.session.rollback()  # nothing stays open while the mail server thinks
    notify(Recipient(email=to), written)
    db.session.execute(update(MailedLink).where(MailedLink.id == link_id).values(sent_at=func.now()))
    db.session.commit()
    return "sent"


def tell_former(link_id: int) -> None:
    """Tell the address before that it is not the account's any more, and forget it. Commits. Raises MailNotTaken."""
    link = db.session.get(MailedLink, link_id)
    if link is None or link.former_email is None:
        return
    to, locale = link.former_email, link.locale
    db.session.rollback()
    notify(Recipient(email=to), letter("email_changed", f"link:{link_id}:former", to, locale))
    db.session.execute(update(MailedLink).where(MailedLink.id == link_id).values(former_email=None))
    db.session.commit()


def forget_old() -> int:
    """Delete links that ran out a day ago; returns how many."""
    result = db.session.execute(delete(MailedLink).where(MailedLink.expires_at < func.now() - KEPT))
    return int(getattr(result, "rowcount", 0))


def token(link: MailedLink) -> str:
    """What opens a link: 256 bits, keyed."""
    told = f"{link.id}|{link.purpose}|{link.email}|{link.created_at.timestamp()}"
    return in_address(keyed_check("storefront mailed link", told))


def browser_hash(secret: str | None) -> bytes | None:
    """What is kept of the asking browser's secret."""
    return hashlib.sha256(secret.encode()).digest() if secret else None


def _count(email: str, address: str | None) -> None:
    attempt = attempts.begin("mailed_link", email, address)
    db.session.commit()
    attempts.check(attempt)


def _make(link: MailedLink) -> None:
    link.expires_at = _now() + VALID
    db.session.add(link)
    db.session.flush()
    link.token_hash = hashlib.sha256(token(link).encode()).digest()
    db.session.flush()
    defer("people.send_mailed_link", link_id=link.id)
    db.session.commit()


def _lock(email: str) -> None:
    """Whatever makes somebody of an address happens one after the other."""
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("account:" + email, 0))))


def _use(link: MailedLink, purpose: str) -> None:
    """Mark the link as used and end the others of its address. Raises LinkDead when another was faster."""
    used = db.session.scalar(
        update(MailedLink)
        .where(MailedLink.id == link.id, MailedLink.purpose == purpose)
        .where(MailedLink.used_at.is_(None), MailedLink.expires_at > func.now())
        .values(used_at=func.now())
        .returning(MailedLink.id)
    )
    if used is None:
        raise LinkDead()
    _end_links((MailedLink.email == link.email) & (MailedLink.purpose == purpose))
    db.session.refresh(link)


def _end_links(which: object) -> None:
    living = MailedLink.used_at.is_(None) & (MailedLink.expires_at > func.now()) & (MailedLink.created_at < func.now())
    db.session.execute(update(MailedLink).where(which, living).values(expires_at=func.now()))  # type: ignore[arg-type]


def _sign_up(link: MailedLink, name: str, password: str) -> Person:
    person = Person(
        email=link.email,
        name=name or link.email.partition("@")[0][:120],
        password_hash=passwords.hash_password(password) if password else passwords.NO_PASSWORD,
        locale=link.locale,
    )
    db.session.add(person)
    db.session.flush()
    record("person.signed_up", "person", person.id, person_id=person.id, details={"password": bool(password)})
    log.info("signed up")
    return person


def _letter(link: MailedLink) -> Letter | None:
    """What is written to the address; None: nothing is, as its account is closed."""
    person = db.session.scalar(select(Person).where(Person.email == link.email))
    key, locale = f"link:{link.id}", link.locale
    with force_locale(locale):
        if link.purpose == NEW_EMAIL:
            if person is not None:
                return letter("email_taken", key, link.email, locale)
            path, words = f"/account/email/{token(link)}", _t("Pakai alamat ini")
            return linked_letter("new_email", key, link.email, locale, path, words)
        if person is not None and by_password_alone(person):
            return letter("sign_in_staff", key, link.email, locale)
        if person is not None and not person.is_active:
            return None
        return linked_letter("sign_in", key, link.email, locale, f"/login/link/{token(link)}", _t("Masuk"))


def _now() -> datetime.datetime:
    now: datetime.datetime = db.session.execute(select(func.now())).scalar_one()
    return now
