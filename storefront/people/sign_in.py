"""Who somebody is: e-mail and password in, a person out. Unknown and wrong look and last the same."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from storefront.errors import DomainError, Forbidden, Invalid
from storefront.extensions import db
from storefront.people import passwords, sessions
from storefront.people.models import Person


class WrongCredentials(DomainError):
    """No such account, or not its password: which of the two is not said."""

    code, status = "wrong_credentials", 422
    message = _("Surel atau kata sandi tidak cocok. Periksa keduanya, lalu coba lagi.")


def normal_email(email: str) -> str:
    """An e-mail address as it is kept."""
    return email.strip().lower()


def identify(email: str, password: str) -> Person:
    """The active person with this e-mail address and password.

    Raises `WrongCredentials`, after the same time whether the account exists or not. For staff the password alone
    opens nothing yet: `sessions.needs_factor`.
    """
    person = db.session.scalar(select(Person).where(Person.email == normal_email(email)))
    right = passwords.matches(person.password_hash if person else None, password)
    if person is None or not right or not person.is_active:
        raise WrongCredentials()
    if person.is_demo and not sessions.is_demo_shop():
        raise WrongCredentials()
    if passwords.needs_rehash(person.password_hash):
        person.password_hash = passwords.hash_password(password)
    return person


def has_password(person: Person) -> bool:
    """Whether the person can sign in by a password; without one they come by links."""
    return person.password_hash != passwords.NO_PASSWORD


def change_password(person: Person, current: str | None, new: str) -> None:
    """Set a new password and end all of the person's sessions.

    `current` is the one before; None: they have shown otherwise who they are, by a link mailed a moment ago. Raises
    `Invalid` with the field at fault (`current`, `password`) and, for demo accounts, whose password everybody shares,
    `Forbidden`.
    """
    if person.is_demo:
        raise Forbidden(_("Kata sandi akun contoh dipakai bersama, jadi tidak dapat diganti."))
    if current is not None and not passwords.matches(person.password_hash, current):
        raise Invalid({"current": _("Kata sandi sekarang tidak cocok.")})
    passwords.check_new(new, email=person.email, name=person.name)
    person.password_hash = passwords.hash_password(new)
    sessions.end_all(person.id)
