"""Deposits that the bank has sent: NTB and NTPN, the slip, and the counter-entry that undoes one."""

from __future__ import annotations

import datetime
import re

from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from storefront import days
from storefront.books import bank_accounts, proof
from storefront.books.booking_day import require_booking_day
from storefront.books.budget import left_to_return
from storefront.books.deposit import locked, owed_to_state, record_step
from storefront.books.four_eyes import require_second
from storefront.books.models import Deposit
from storefront.books.settle_paid import SHORTEST_REASON, reverser_is_second
from storefront.display import format_date
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.ledger import passing_on

#: The treasury's and the bank's receipt numbers.
NTPN = re.compile(r"[A-Z0-9]{16}")
NTB = re.compile(r"[A-Z0-9]{6,20}")


class NoBillingCode(DomainError):
    """A deposit is paid under its billing code, so it needs one first."""

    code, status = "no_billing_code", 409

    def __init__(self) -> None:
        super().__init__(_("Isi dulu kode billing setoran ini."))


def mark_paid(
    deposit_id: int,
    *,
    ntpn: str,
    ntb: str,
    paid_on: datetime.date,
    booked_on: datetime.date | None = None,
    person_id: int,
    at: datetime.datetime | None = None,
) -> Deposit:
    """The bank has sent the money under the billing code: book it on that day.

    `booked_on` is the day on which the treasury booked it. Raises Invalid by field (`ntpn`, `ntb`, `paid_on`,
    `booked_on`), NoBillingCode, PeriodClosed, NoBankAccount, Decided, NotFound.
    """
    deposit = locked(deposit_id, "approved")
    if deposit.billing_code is None:
        raise NoBillingCode()
    ntpn, ntb = _plain(ntpn), _plain(ntb)
    _refuse(deposit, ntpn, ntb, paid_on)
    approved_on = days.accounting_day(deposit.approved_at) if deposit.approved_at else None
    require_booking_day(paid_on, field="paid_on", since=approved_on)
    if booked_on is not None:
        _refuse_booked_on(booked_on, paid_on)
    central = bank_accounts.in_force(None, paid_on)
    of = owed_to_state(deposit.facility_id)
    passing_on.lock([of])
    try:
        with db.session.begin_nested():
            deposit.state, deposit.ntpn, deposit.ntb = "paid", ntpn, ntb or None
            deposit.paid_on, deposit.booked_on, deposit.paid_by = paid_on, booked_on, person_id
            db.session.flush()
    except IntegrityError as refusal:
        if "deposits_ntpn" not in str(refusal.orig):
            raise
        raise Invalid(
            {"ntpn": _("NTPN ini sudah dipakai untuk setoran lain. Satu NTPN berlaku untuk satu setoran.")}
        ) from None
    passing_on.book_deposit(
        deposit.id, of, deposit.amount, central.id, on=paid_on, person_id=person_id, posted_at=at
    )
    more = {"ntpn": ntpn, "ntb": ntb, "paid_on": paid_on.isoformat()}
    record_step(deposit, "paid", person_id, before={"state": "approved"}, **more)
    return deposit


def set_booked_on(deposit_id: int, booked_on: datetime.date, person_id: int) -> Deposit:
    """The day on which the treasury booked a paid deposit. Raises Invalid, Decided, NotFound."""
    deposit = locked(deposit_id, "paid")
    _refuse_booked_on(booked_on, deposit.paid_on)
    before = deposit.booked_on.isoformat() if deposit.booked_on else None
    deposit.booked_on = booked_on
    db.session.flush()
    record_step(
        deposit, "booked", person_id, before={"booked_on": before}, booked_on=booked_on.isoformat()
    )
    return deposit


def attach_proof(deposit_id: int, content: bytes, person_id: int) -> Deposit:
    """Keep the slip of a paid deposit, in the private part of the media store.

    An earlier slip stays there too; the audit trail names both. Raises BadProof, Decided, NotFound.
    """
    deposit = locked(deposit_id, "paid")
    before = deposit.proof_key
    deposit.proof_key = proof.keep(f"deposits/{deposit.id}", content)
    db.session.flush()
    record_step(deposit, "proved", person_id, before={"proof": before}, proof=deposit.proof_key)
    return deposit


def reverse(
    deposit_id: int,
    *,
    on: datetime.date,
    reason: str,
    person_id: int,
    at: datetime.datetime | None = None,
) -> Deposit:
    """Undo a paid deposit by a counter-entry on the day `on`; its postings and its NTPN are free again.

    By somebody else than who wrote it down as paid. Raises FourEyes, Invalid by field (`on`, `reason`),
    PeriodClosed, Decided, NotFound.
    """
    deposit = locked(deposit_id, "paid")
    require_second(deposit.paid_by, person_id, reverser_is_second())
    reason = reason.strip()
    if not SHORTEST_REASON <= len(reason) <= 500:
        raise Invalid({"reason": _("Tulis alasannya, 10 sampai 500 huruf.")})
    require_booking_day(on, field="on", since=deposit.paid_on)
    _refuse_if_returned(deposit)
    passing_on.lock([owed_to_state(deposit.facility_id)])
    deposit.state, deposit.reversed_on = "reversed", on
    deposit.reversed_by, deposit.reversal_reason = person_id, reason
    db.session.flush()
    passing_on.book_counter_entry(
        f"deposit:{deposit.id}:reversed",
        f"deposit:{deposit.id}:paid",
        on=on,
        person_id=person_id,
        posted_at=at,
    )
    record_step(
        deposit, "reversed", person_id, before={"state": "paid"}, reason=reason, on=on.isoformat()
    )
    return deposit


def _refuse_if_returned(deposit: Deposit) -> None:
    """What came back of it as budget is owed to the facility once more: it cannot be owed to the state too."""
    db.session.get(Facility, deposit.facility_id, with_for_update={"key_share": True})
    if deposit.amount > left_to_return(deposit.facility_id):
        raise Invalid(
            {
                "reason": _(
                    "Sebagian setoran UPT ini sudah kembali sebagai anggaran, jadi tidak dapat dibatalkan. "
                    "Usulkan koreksi untuk yang salah."
                )
            }
        )


def _plain(number: str) -> str:
    """The number as it is kept: capitals and figures alone."""
    return re.sub(r"[\s.-]", "", number).upper()


def _refuse(deposit: Deposit, ntpn: str, ntb: str, paid_on: datetime.date) -> None:
    if not NTPN.fullmatch(ntpn):
        raise Invalid({"ntpn": _("NTPN terdiri dari 16 huruf dan angka, seperti di bukti setor.")})
    if ntb and not NTB.fullmatch(ntb):
        raise Invalid({"ntb": _("NTB terdiri dari 6 sampai 20 huruf dan angka.")})
    assert deposit.billing_expires_at is not None  # a code has its end
    expired_on = days.accounting_day(deposit.billing_expires_at)
    if paid_on > expired_on:
        raise Invalid(
            {
                "paid_on": _(
                    "Kode billing berakhir pada %(day)s. Periksa tanggalnya, atau isi kode yang baru.",
                    day=format_date(expired_on),
                )
            }
        )


def _refuse_booked_on(booked_on: datetime.date, paid_on: datetime.date | None) -> None:
    if booked_on > days.today():
        raise Invalid({"booked_on": _("Tanggal ini belum tiba.")})
    if paid_on is not None and booked_on < paid_on:
        raise Invalid({"booked_on": _("Dibukukan paling awal pada hari dibayar.")})
