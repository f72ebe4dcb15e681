"""Corrections of the books: legs and a reason by one person, approved by another, into open months only."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, text

from storefront.audit.record import record
from storefront.books.four_eyes import Decided, moment, require_second
from storefront.books.models import Correction
from storefront.days import today
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.ledger.balance import balance, lock_accounts
from storefront.ledger.book import AccountKey, Leg, books_difference, fees_of_operator
from storefront.ledger.closed import PeriodClosed, require_open
from storefront.ledger.correction import book_correction
from storefront.ledger.models import Account
from storefront.money import format_rupiah

MOST_LEGS = 20
#: A reason says what was wrong and what shows it.
SHORTEST_REASON, LONGEST_REASON = 10, 1000
#: Beyond any sum of the shop; a typing mistake rather than an amount.
MOST = 10**13


class WrongSide(DomainError):
    """A facility would be owed less than nothing, or owe back less than nothing."""

    code, status = "wrong_side", 409

    def __init__(self, account: str, held: int) -> None:
        super().__init__(
            _(
                "Akun %(account)s hanya memuat %(held)s; koreksi ini mengambil lebih banyak. "
                "Pakai akun pasangannya (owed atau receivable) untuk sisanya.",
                account=account,
                held=format_rupiah(held),
            )
        )


class NotNeeded(DomainError):
    """It was proposed for a difference with a provider, and both sides say the same by now."""

    code, status = "not_needed", 409
    message = _l(
        "Selisih yang diluruskan koreksi ini sudah hilang: kedua pihak kini sama. Tolak usulan ini; "
        "kalau dibukukan, buku justru akan berbeda."
    )


#: Whether a correction was proposed for a difference that is there no more.
ANSWERS_NOTHING = text(
    "SELECT EXISTS (SELECT FROM reconciliation_differences WHERE correction_id = :id AND state <> 'proposed')"
)


def propose(
    *, reason: str, effective_date: datetime.date, legs: Sequence[tuple[str, int]], person_id: int
) -> Correction:
    """Write a correction down; it is booked once somebody else has approved it.

    `legs` are account codes with rupiah, debit > 0. Raises Invalid, by field. Never commits.
    """
    reason = reason.strip()
    errors = {}
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        errors["reason"] = _("Tulis apa yang salah dan apa buktinya, 10 sampai 1.000 huruf.")
    refused = _day_refused(effective_date)
    if refused:
        errors["effective_date"] = refused
    errors |= _legs_refused(legs)
    if errors:
        raise Invalid(errors)
    correction = Correction(
        reason=reason,
        effective_date=effective_date,
        legs=[{"account": code, "amount": amount} for code, amount in legs],
        state="proposed",
        proposed_by=person_id,
        proposed_at=moment(None),
    )
    db.session.add(correction)
    db.session.flush()
    _record(correction, "proposed", person_id)
    return correction


def approve(correction_id: int, person_id: int) -> Correction:
    """A second person agrees, and it is booked. Raises FourEyes, Decided, PeriodClosed, WrongSide, NotFound."""
    correction = _waiting(correction_id)
    require_second(correction.proposed_by, person_id)
    require_open(correction.effective_date)
    if db.session.execute(ANSWERS_NOTHING, {"id": correction_id}).scalar_one():
        raise NotNeeded()
    keys = _accounts(leg["account"] for leg in correction.legs)
    _refuse_wrong_side(keys, correction.legs)
    book_correction(
        correction.id,
        [Leg(keys[leg["account"]], int(leg["amount"])) for leg in correction.legs],
        reason=correction.reason,
        on=correction.effective_date,
        person_id=person_id,
    )
    correction.approved_by, correction.approved_at = person_id, moment(None)
    correction.state = "booked"
    db.session.flush()
    _record(correction, "booked", person_id, was="proposed")
    return correction


def reject(correction_id: int, person_id: int) -> Correction:
    """Decide against it, or take one's own back. Raises Decided, NotFound."""
    correction = _waiting(correction_id)
    correction.rejected_by, correction.rejected_at = person_id, moment(None)
    correction.state = "rejected"
    db.session.flush()
    _record(correction, "rejected", person_id, was="proposed")
    return correction


def account_codes() -> list[str]:
    """Every account that a correction may name."""
    codes = set(db.session.scalars(select(Account.code)))
    return sorted(codes | {books_difference().code, fees_of_operator().code})


def _day_refused(day: datetime.date) -> str | None:
    if day > today():
        return str(_("Tanggal ini belum tiba. Pilih hari ini atau sebelumnya."))
    try:
        require_open(day)
    except PeriodClosed as refusal:
        return str(refusal.message)
    return None


def _legs_refused(legs: Sequence[tuple[str, int]]) -> dict[str, str]:
    if not 2 <= len(legs) <= MOST_LEGS:
        return {"legs": _("Isi paling sedikit dua baris dan paling banyak %(most)d.", most=MOST_LEGS)}
    known = _accounts(code for code, _amount in legs)
    for number, (code, amount) in enumerate(legs, start=1):
        if code not in known:
            return {"legs": _("Baris %(number)d: akun %(code)s tidak ada.", number=number, code=code or "–")}
        if amount == 0 or abs(amount) > MOST:
            return {"legs": _("Baris %(number)d: jumlah nol tidak dicatat.", number=number)}
    total = sum(amount for _code, amount in legs)
    if total:
        return {
            "legs": _(
                "Debit dan kredit harus sama besar; sekarang selisihnya %(difference)s.",
                difference=format_rupiah(total),
            )
        }
    return {}


def _accounts(codes: Iterable[str]) -> dict[str, AccountKey]:
    wanted = set(codes)
    rows = db.session.scalars(select(Account).where(Account.code.in_(wanted)))
    keys = {
        row.code: AccountKey(
            row.code, row.kind, row.facility_id, row.fund_id, row.gateway, row.bank_account_id
        )
        for row in rows
    }
    return keys | {key.code: key for key in (books_difference(), fees_of_operator()) if key.code not in keys}


def _waiting(correction_id: int) -> Correction:
    correction = db.session.get(Correction, correction_id, with_for_update=True, populate_existing=True)
    if correction is None:
        raise NotFound()
    if correction.state != "proposed":
        raise Decided()
    return correction


def _refuse_wrong_side(keys: dict[str, AccountKey], legs: Iterable[dict[str, Any]]) -> None:
    """What a facility is owed, and what must come back from it, never fall below zero."""
    changes: dict[str, int] = {}
    for leg in legs:
        if keys[leg["account"]].facility_id is not None:
            changes[leg["account"]] = changes.get(leg["account"], 0) + int(leg["amount"])
    lock_accounts(changes)
    for code, change in changes.items():
        sign = -1 if keys[code].kind == "liability" else 1
        held = sign * balance(code)
        if sign * change < 0 and held + sign * change < 0:
            raise WrongSide(code, held)


def _record(correction: Correction, what: str, person_id: int, *, was: str | None = None) -> None:
    record(
        f"correction.{what}",
        "correction",
        correction.id,
        person_id=person_id,
        details={
            "before": {"state": was} if was else None,
            "after": {"state": correction.state},
            "reason": correction.reason,
            "effective_date": correction.effective_date.isoformat(),
            "legs": correction.legs,
        },
    )
