"""Paying units (satker) as the treasury knows them, from a day on."""

from __future__ import annotations

import datetime
import re

from flask_babel import gettext as _
from sqlalchemy import or_, select

from storefront.audit.record import record
from storefront.books.models import Deposit, DepositDeadline, Satker
from storefront.display import format_date
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.ledger.balance import lock_accounts

#: What each code of the treasury consists of.
FORMS = {
    "ministry_code": r"[0-9]{3}",
    "unit_code": r"[0-9]{2}",
    "office_code": r"[0-9]{6}",
    "tax_number": r"[0-9]{15,16}",
    "revenue_account": r"[0-9]{6}",
}


class NoSatker(DomainError):
    """A facility has no paying unit on a day: its revenue cannot be deposited."""

    code, status = "no_satker", 409


def in_force(facility_id: int, on: datetime.date) -> Satker:
    """The facility's paying unit on a day. Raises NoSatker, which names the facility."""
    found: Satker | None = db.session.scalar(
        select(Satker).where(
            Satker.facility_id == facility_id,
            Satker.valid_from <= on,
            or_(Satker.valid_to.is_(None), Satker.valid_to >= on),
        )
    )
    if found is None:
        name = db.session.scalar(select(Facility.name).where(Facility.id == facility_id))
        raise NoSatker(
            _(
                "%(facility)s belum punya data satker yang berlaku pada %(day)s. Isi dulu di Satker.",
                facility=name,
                day=format_date(on),
            )
        )
    return found


def register(
    facility_id: int,
    *,
    ministry_code: str,
    unit_code: str,
    office_code: str,
    tax_number: str,
    treasurer: str,
    revenue_account: str,
    valid_from: datetime.date,
    person_id: int,
) -> Satker:
    """Write down a paying unit from a day on; the one before it ends on the day before. Raises Invalid."""
    values = {
        "ministry_code": ministry_code,
        "unit_code": unit_code,
        "office_code": office_code,
        "tax_number": tax_number,
        "revenue_account": revenue_account,
    }
    values = {name: re.sub(r"[\s.-]", "", value) for name, value in values.items()}
    _refuse(values, treasurer)
    lock_accounts([f"satkers:{facility_id}"])
    before = _make_room(facility_id, valid_from)
    satker = Satker(facility_id=facility_id, treasurer=treasurer, valid_from=valid_from, **values)
    db.session.add(satker)
    db.session.flush()
    record(
        "satker.registered",
        "satker",
        satker.id,
        person_id=person_id,
        facility_id=facility_id,
        details={
            "before": _codes(before) if before else None,
            "after": _codes(satker),
        },
    )
    return satker


def _codes(satker: Satker) -> dict[str, str]:
    codes = {name: str(getattr(satker, name)) for name in FORMS}
    return {**codes, "treasurer": satker.treasurer, "valid_from": satker.valid_from.isoformat()}


def _refuse(values: dict[str, str], treasurer: str) -> None:
    sentences = {
        "ministry_code": _("Kode kementerian terdiri dari 3 angka."),
        "unit_code": _("Kode unit eselon I terdiri dari 2 angka."),
        "office_code": _("Kode satker terdiri dari 6 angka."),
        "tax_number": _("NPWP terdiri dari 15 atau 16 angka."),
        "revenue_account": _("Kode akun penerimaan terdiri dari 6 angka."),
    }
    errors = {name: sentences[name] for name, form in FORMS.items() if not re.fullmatch(form, values[name])}
    if not 3 <= len(treasurer) <= 120:
        errors["treasurer"] = _("Tulis nama bendahara penerimaan, 3 sampai 120 huruf.")
    if errors:
        raise Invalid(errors)


def _make_room(facility_id: int, valid_from: datetime.date) -> Satker | None:
    """End the unit before on the day before `valid_from`."""
    latest: Satker | None = db.session.scalar(
        select(Satker).where(Satker.facility_id == facility_id).order_by(Satker.valid_from.desc()).limit(1)
    )
    if latest is None:
        return None
    if latest.valid_from >= valid_from:
        raise Invalid(
            {
                "valid_from": _(
                    "Sudah ada data satker yang berlaku sejak %(day)s. Pilih hari sesudahnya.",
                    day=format_date(latest.valid_from),
                )
            }
        )
    last_day = valid_from - datetime.timedelta(days=1)
    used = db.session.scalar(
        select(Deposit.paid_on)
        .where(Deposit.satker_id == latest.id, Deposit.state == "paid", Deposit.paid_on > last_day)
        .order_by(Deposit.paid_on.desc())
        .limit(1)
    )
    if used is not None:
        raise Invalid(
            {
                "valid_from": _(
                    "Masih ada setoran dengan data lama pada %(day)s. Pilih hari sesudahnya.",
                    day=format_date(used),
                )
            }
        )
    if latest.valid_to is None or latest.valid_to > last_day:
        latest.valid_to = last_day
        db.session.flush()
    return latest


def set_deadline(valid_from: datetime.date, days: int, legal_basis: str, person_id: int) -> DepositDeadline:
    """From a day on, deposits are due `days` after the money arrived. What was due before stays. Raises Invalid."""
    errors = {}
    if not 0 <= days <= 60:
        errors["days"] = _("Tulis jumlah hari, dari 0 sampai 60.")
    if len(legal_basis) < 5:
        errors["legal_basis"] = _("Tulis dasar hukumnya.")
    lock_accounts(["deposit_deadlines"])  # two who set one for the same day wait for each other
    latest = db.session.scalar(
        select(DepositDeadline).order_by(DepositDeadline.valid_from.desc()).limit(1)
    )
    if latest is not None and valid_from <= latest.valid_from:
        errors["valid_from"] = _(
            "Sudah ada batas waktu yang berlaku sejak %(day)s. Pilih hari sesudahnya.",
            day=format_date(latest.valid_from),
        )
    if errors:
        raise Invalid(errors)
    deadline = DepositDeadline(valid_from=valid_from, days=days, legal_basis=legal_basis[:300])
    db.session.add(deadline)
    db.session.flush()
    record(
        "deposit_deadline.set",
        "deposit_deadline",
        valid_from.isoformat(),
        person_id=person_id,
        details={
            "before": {"days": latest.days, "legal_basis": latest.legal_basis} if latest else None,
            "after": {"days": days, "legal_basis": legal_basis[:300]},
        },
    )
    return deadline
