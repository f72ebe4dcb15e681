"""The second factor of those who work here: a code of six digits from a phone (TOTP, RFC 6238), or one from paper.

A phone is begun (`begin`), and counts once it has given a first right code (`confirm`), which also makes the codes on
paper. `check` tells a right code from a wrong one; each code counts once. The time steps before and after now are
taken too, for a phone whose clock is a little off. Nothing here commits, but for counting a try (`try_code`).
"""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Callable
from typing import TypeVar

import pyotp
from flask_babel import lazy_gettext as _
from markupsafe import Markup
from sqlalchemy import ColumnElement, Select, func, select, update

from storefront.audit.record import record
from storefront.errors import DomainError, Forbidden, Invalid
from storefront.extensions import db
from storefront.keyed import keyed_check, opened, sealed
from storefront.mail.owe import owe_about
from storefront.people import attempts, sessions
from storefront.people.factor_models import RecoveryCode, SecondFactor
from storefront.people.models import Person
from storefront.qr_code import in_page

Result = TypeVar("Result")
PURPOSE, CODES = "storefront:second-factor", "storefront:recovery-codes"
#: Seconds for which a phone shows a code, and how many steps its clock may be off.
STEP, OFF = 30, 1
PAPER_CODES = 10
#: Letters of a code on paper: none that look alike. Ten of them are 50 bits.
LETTERS, LENGTH = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789", 10
#: What letters about a person's second factor are about.
SUBJECT = "second_factor"


class WrongCode(DomainError):
    """Neither the phone's code of now nor an unused one from paper."""

    code, status = "wrong_code", 422
    message = _(
        "Kode tidak cocok atau sudah dipakai. Tunggu kode berikutnya di ponsel, lalu tulis keenam angkanya. Bila terus"
        " ditolak, pastikan jam ponsel disetel otomatis."
    )


class Unreadable(DomainError):
    """The shop's secret is another one than when the phone was set up."""

    code, status = "factor_unreadable", 409
    message = _("Kode ponsel Anda tidak dapat diperiksa lagi. Minta administrator menyetel ulang faktor kedua Anda.")


def of(person_id: int) -> SecondFactor | None:
    """The phone in use, or None."""
    return db.session.scalar(_living(person_id).where(SecondFactor.confirmed_at.is_not(None)))


def begin(person: Person) -> SecondFactor:
    """The phone that is about to be set up, with a secret of its own; the same one until it is confirmed."""
    if person.is_demo:
        raise Forbidden(_("Akun contoh dipakai bersama, jadi tidak memakai faktor kedua."))
    db.session.execute(select(Person.id).where(Person.id == person.id).with_for_update())
    new = _new(person.id)
    if new is None or opened(PURPOSE, new.secret) is None:
        if new is not None:
            new.ended_at = func.clock_timestamp()
            db.session.flush()
        new = SecondFactor(person_id=person.id, secret=sealed(PURPOSE, pyotp.random_base32().encode()))
        db.session.add(new)
        db.session.flush()
    return new


def secret(factor: SecondFactor) -> str:
    """The secret as a phone takes it typed in. Raises `Unreadable`."""
    found = opened(PURPOSE, factor.secret)
    if found is None:
        raise Unreadable()
    return found.decode()


def qr(factor: SecondFactor, person: Person, shop: str) -> Markup:
    """The picture that a phone scans, as SVG to be set into a page. Raises `Unreadable`."""
    address = pyotp.TOTP(secret(factor), interval=STEP).provisioning_uri(name=person.email, issuer_name=shop)
    return in_page(address, scale=4, border=4, light="#fff", svgclass=None, lineclass=None)


def confirm(person: Person, code: str) -> list[str]:
    """Take the begun phone into use by its first code; one before it ends. Returns the codes on paper, shown this once.

    Raises `Invalid` (`code`) for a wrong code and `WrongCode` when nothing was begun.
    """
    db.session.execute(select(Person.id).where(Person.id == person.id).with_for_update())
    new = _new(person.id)
    if new is None:
        raise WrongCode()
    step = _step(new, code)
    if step is None:
        raise Invalid({"code": WrongCode.message})
    former = of(person.id)
    if former is not None:
        former.ended_at = func.clock_timestamp()
        db.session.flush()
    new.confirmed_at, new.last_step = func.clock_timestamp(), step
    db.session.flush()
    details = {"replaced": former is not None}
    record("second_factor.confirmed", "person", person.id, person_id=person.id, details=details)
    owe_about("second_factor_set", SUBJECT, new.id)
    return _paper(new)


def new_paper(person: Person) -> list[str]:
    """New codes on paper; those before work no more. Raises `WrongCode` when there is no phone in use."""
    factor = of(person.id)
    if factor is None:
        raise WrongCode()
    record("second_factor.codes_renewed", "person", person.id, person_id=person.id)
    return _paper(factor)


def left_on_paper(factor: SecondFactor) -> int:
    """How many codes on paper are unused."""
    return int(db.session.scalar(select(func.count()).select_from(RecoveryCode).where(*_usable(factor))) or 0)


def check(person_id: int, code: str) -> str:
    """Take a code: `phone` or `paper`, which of them it was. Of two at the same moment one alone is right.

    Raises `WrongCode` and `Unreadable`.
    """
    factor = of(person_id)
    if factor is None:
        raise WrongCode()
    step = _step(factor, code)
    if step is not None:
        newer = SecondFactor.last_step.is_(None) | (SecondFactor.last_step < step)
        taken = (
            update(SecondFactor)
            .where(SecondFactor.id == factor.id, SecondFactor.ended_at.is_(None), newer)
            .values(last_step=step)
            .returning(SecondFactor.id)
        )
        if db.session.scalar(taken) is not None:
            return "phone"
        raise WrongCode()
    used = (
        update(RecoveryCode)
        .where(*_usable(factor), RecoveryCode.code_hash == _hash(factor, code))
        .values(used_at=func.now())
        .returning(RecoveryCode.id)
    )
    code_id = db.session.scalar(used)
    if code_id is None:
        raise WrongCode()
    details = {"left": left_on_paper(factor)}
    record("second_factor.paper_used", "person", person_id, person_id=person_id, details=details)
    owe_about("recovery_code_used", SUBJECT, factor.id, key=f"second_factor:{factor.id}:paper:{code_id}")
    return "paper"


def try_code(person_id: int, code: str, address: str | None) -> str:
    """`check`, as one counted try from a network address. Raises TooManyTries, WrongCode, Unreadable."""
    return _counted(lambda: check(person_id, code), person_id, address)


def try_first(person: Person, code: str, address: str | None) -> list[str]:
    """`confirm`, as one counted try from a network address. Raises TooManyTries, Invalid, WrongCode."""
    return _counted(lambda: confirm(person, code), person.id, address)


def _counted(act: Callable[[], Result], person_id: int, address: str | None) -> Result:
    """Write a try down and commit it before it is judged, so that all processes see it."""
    attempt = attempts.begin("factor", str(person_id), address)
    db.session.commit()
    attempts.check(attempt)
    result = act()
    attempts.succeed(attempt)
    return result


def end(person_id: int, *, by: int | None) -> bool:
    """Take a person's phone and paper out of use and end their sessions; False when there was none.

    They set up anew at their next sign-in. A phone on its way in ends too.
    """
    ended = db.session.scalars(
        update(SecondFactor)
        .where(SecondFactor.person_id == person_id, SecondFactor.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp(), ended_by=by)
        .returning(SecondFactor.id)
    ).all()
    sessions.end_all(person_id)
    if not ended:
        return False
    record("second_factor.reset", "person", person_id, person_id=by, details={} if by else {"by": "command"})
    owe_about("second_factor_reset", SUBJECT, max(ended))
    return True


def _living(person_id: int) -> Select[SecondFactor]:
    return select(SecondFactor).where(SecondFactor.person_id == person_id, SecondFactor.ended_at.is_(None))


def _new(person_id: int) -> SecondFactor | None:
    return db.session.scalar(_living(person_id).where(SecondFactor.confirmed_at.is_(None)))


def _step(factor: SecondFactor, code: str) -> int | None:
    """The time step whose code this is, near now; None for none. Takes the same time for all codes of six digits."""
    digits = "".join(code.split())
    if not (len(digits) == 6 and digits.isascii() and digits.isdigit()):
        return None
    totp = pyotp.TOTP(secret(factor), interval=STEP)
    now = int(datetime.datetime.now(datetime.UTC).timestamp()) // STEP
    near = range(now - OFF, now + OFF + 1)
    right = [step for step in near if secrets.compare_digest(totp.generate_otp(step), digits)]
    return right[-1] if right else None


def _paper(factor: SecondFactor) -> list[str]:
    db.session.execute(update(RecoveryCode).where(*_usable(factor)).values(void_at=func.now()))
    codes = ["".join(secrets.choice(LETTERS) for _letter in range(LENGTH)) for _code in range(PAPER_CODES)]
    db.session.add_all(RecoveryCode(factor_id=factor.id, code_hash=_hash(factor, code)) for code in codes)
    db.session.flush()
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def _hash(factor: SecondFactor, code: str) -> bytes:
    plain = "".join(c for c in code.upper() if c.isalnum())[:40]
    return keyed_check(CODES, f"{factor.id}:{plain}")


def _usable(factor: SecondFactor) -> tuple[ColumnElement[bool], ...]:
    return (
        RecoveryCode.factor_id == factor.id,
        RecoveryCode.used_at.is_(None),
        RecoveryCode.void_at.is_(None),
    )
