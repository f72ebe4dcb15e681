"""Settlements: paying facilities what they are owed, fund by fund. Proposed by one person, approved by another.

Whoever proposes locks the account it is taken from, so the same rupiah is proposed once. What follows once the
bank has sent the money stands in `settle_paid.py`; working capital may go by transfers instead (`transfer_plan.py`).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, text

from storefront import days
from storefront.audit.record import record
from storefront.books import bank_accounts, transfer_plan
from storefront.books.four_eyes import Decided, moment, require_second
from storefront.books.models import BankAccount, Settlement
from storefront.display import format_date
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.ledger import passing_on
from storefront.ledger.models import Fund
from storefront.ledger.passing_on import OwedTo
from storefront.money import format_rupiah

#: States in which the money is spoken for but has not left.
PENDING = ("proposed", "approved")
IN_A_FILE = text("SELECT EXISTS (SELECT FROM payment_file_lines WHERE settlement_id = :id AND is_living)")


@dataclass(frozen=True)
class Wish:
    """An amount to pay a facility out of a fund, or (None) of its shipping; in rupiah."""

    facility_id: int
    fund_id: int | None
    amount: int


class MoreThanOwed(Invalid):
    """More than is owed, less what other proposals speak of already. `errors`: a sentence for each account."""

    code, status = "more_than_owed", 409


class InPaymentFile(DomainError):
    """A file for the bank pays it: that is discarded first."""

    code, status = "in_payment_file", 409
    message = _l("Penyaluran ini ada di berkas pembayaran untuk bank. Batalkan berkas itu dulu.")


def field_of(of: OwedTo) -> str:
    """Name of the amount's field on a form, and of its error: `PKL-premium`, `PKL-shipping`."""
    return f"{of.facility_code}-{of.fund_code or 'shipping'}"


def propose(
    wishes: Sequence[Wish], *, person_id: int, note: str = "", at: datetime.datetime | None = None
) -> list[Settlement]:
    """Propose settlements for one or many facilities; all of them, or none.

    Each goes to the facility's account in force today. Working capital of a facility with an account at the provider
    becomes two, where only a part of it can be transferred: that part, and the rest by bank. Raises MoreThanOwed and
    Invalid by field (`field_of`), NoBankAccount, NotFound.
    """
    if not wishes:
        raise Invalid({"wishes": _("Pilih setidaknya satu yang akan disalurkan.")})
    if len(note) > 500:
        raise Invalid({"note": _("Catatan paling panjang 500 huruf.")})
    targets = [owed_to(wish.facility_id, wish.fund_id) for wish in wishes]
    passing_on.lock(targets)
    _refuse_too_much(wishes, targets)
    proposed_at = moment(at)
    today = days.accounting_day(proposed_at)
    found = [
        Settlement(
            facility_id=wish.facility_id,
            fund_id=wish.fund_id,
            amount=way.amount,
            bank_account_id=way.bank_account_id,
            connected_account_id=way.connected_account_id,
            note=note,
            proposed_by=person_id,
            proposed_at=proposed_at,
        )
        for wish, of in zip(wishes, targets, strict=True)
        for way in _ways(wish, of, today)
    ]
    db.session.add_all(found)
    db.session.flush()
    for settlement in found:
        if settlement.bank_account_id is not None:
            record_step(settlement, "proposed", person_id, bank_account=settlement.bank_account_id)
        elif settlement.connected_account_id is not None:
            record_step(settlement, "proposed", person_id, connected_account=settlement.connected_account_id)
    return found


@dataclass(frozen=True)
class _Way:
    """How a part of a wish is paid: into a bank account, or by transfers to the account at the provider."""

    amount: int
    bank_account_id: int | None = None
    connected_account_id: int | None = None


def _ways(wish: Wish, of: OwedTo, on: datetime.date) -> list[_Way]:
    """All by bank; or what can be transferred so, and only the rest by bank."""
    ways = []
    account = transfer_plan.account_for(of, on)
    by_transfer = 0 if account is None else min(wish.amount, transfer_plan.transferable(of))
    if account is not None and by_transfer:
        ways.append(_Way(by_transfer, connected_account_id=account.id))
    if wish.amount > by_transfer:
        bank_account = bank_accounts.in_force(wish.facility_id, on)
        ways.append(_Way(wish.amount - by_transfer, bank_account_id=bank_account.id))
    return ways


def approve(
    settlement_ids: Iterable[int], person_id: int, *, at: datetime.datetime | None = None
) -> list[Settlement]:
    """A second person agrees to one or many; to all of them, or to none.

    What goes by transfer is on its way from then on, as a job. Raises FourEyes, Decided, NotFound; MoreThanOwed when
    money went back to buyers since they were proposed; NoBankAccount when an account has ended since, TransfersOff.
    """
    found = locked(settlement_ids, "proposed")
    targets = {settlement.id: owed_to(settlement.facility_id, settlement.fund_id) for settlement in found}
    passing_on.lock(targets.values())
    approved_at = moment(at)
    for settlement in found:
        require_second(settlement.proposed_by, person_id)
        left = targets[settlement.id].net() - sum_in(
            settlement.facility_id, settlement.fund_id, ("approved",)
        )
        if settlement.amount > left:
            raise MoreThanOwed(
                message=_(
                    "Sejak penyaluran %(number)d diusulkan, sebagian uangnya kembali ke pembeli: tinggal %(left)s. "
                    "Tolak usulan ini, lalu usulkan lagi.",
                    number=settlement.id,
                    left=format_rupiah(max(0, left)),
                )
            )
        require_account(settlement, days.accounting_day(approved_at))
        settlement.state, settlement.approved_by, settlement.approved_at = "approved", person_id, approved_at
        db.session.flush()
        record_step(settlement, "approved", person_id, was="proposed")
        if settlement.goes_by_transfer:
            transfer_plan.plan(settlement, targets[settlement.id])
    return found


def reject(settlement_id: int, person_id: int, reason: str = "") -> Settlement:
    """Decide against it before it is paid, or take one's own proposal back. Raises Decided, NotFound.

    What goes by transfer is on its way once it is approved, and Decided then; what a file for the bank pays is
    InPaymentFile.
    """
    (settlement,) = locked([settlement_id], *PENDING)
    was = settlement.state
    if settlement.goes_by_transfer and was == "approved":
        raise Decided()
    if db.session.execute(IN_A_FILE, {"id": settlement.id}).scalar_one():
        raise InPaymentFile()
    settlement.state, settlement.rejected_by, settlement.rejected_at = "rejected", person_id, moment(None)
    db.session.flush()
    record_step(settlement, "rejected", person_id, was=was, reason=reason[:500])
    return settlement


def owed_to(facility_id: int, fund_id: int | None) -> OwedTo:
    """The pair of accounts of a facility and fund. Raises NotFound; Invalid for the state's revenue."""
    code = db.session.scalar(select(Facility.code).where(Facility.id == facility_id))
    fund = None if fund_id is None else db.session.scalar(select(Fund.code).where(Fund.id == fund_id))
    if code is None or (fund_id is not None and fund is None):
        raise NotFound()
    if fund == "state_revenue":
        raise Invalid({f"{code}-{fund}": _("PNBP tidak disalurkan; setorkan ke kas negara.")})
    return OwedTo(facility_id, code, fund_id, fund or "")


def _refuse_too_much(wishes: Sequence[Wish], targets: Sequence[OwedTo]) -> None:
    errors: dict[str, str] = {}
    seen: set[str] = set()
    for wish, of in zip(wishes, targets, strict=True):
        name = field_of(of)
        left = of.net() - sum_in(wish.facility_id, wish.fund_id, PENDING)
        if name in seen:
            errors[name] = _("Dana ini dipilih dua kali.")
        elif wish.amount <= 0:
            errors[name] = _("Tulis jumlahnya dalam rupiah, lebih dari nol.")
        elif wish.amount > left:
            errors[name] = _("Yang dapat disalurkan sekarang %(left)s.", left=format_rupiah(max(0, left)))
        seen.add(name)
    if errors:
        raise MoreThanOwed(errors)


def sum_in(facility_id: int, fund_id: int | None, states: Iterable[str]) -> int:
    """Rupiah of the settlements of a fund in these states; of what goes by transfer, as far as it has not gone."""
    of_fund = Settlement.fund_id.is_(None) if fund_id is None else Settlement.fund_id == fund_id
    left = Settlement.amount - func.already_transferred(Settlement.id)
    return int(
        db.session.scalar(
            select(func.coalesce(func.sum(left), 0)).where(
                Settlement.facility_id == facility_id, of_fund, Settlement.state.in_(list(states))
            )
        )
        or 0
    )


def locked(settlement_ids: Iterable[int], *states: str) -> list[Settlement]:
    """The settlements, locked in the order of their ids. Raises NotFound, Decided."""
    wanted = sorted(set(settlement_ids))
    found = list(
        db.session.scalars(
            select(Settlement)
            .where(Settlement.id.in_(wanted))
            .order_by(Settlement.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )
    if not found or len(found) < len(wanted):
        raise NotFound()
    if any(settlement.state not in states for settlement in found):
        raise Decided()
    return found


def require_account(settlement: Settlement, on: datetime.date) -> None:
    """The account it goes to is still the facility's on that day."""
    if settlement.connected_account_id is not None:
        transfer_plan.require_account(settlement, on)
        return
    account = db.session.get_one(BankAccount, settlement.bank_account_id, populate_existing=True)
    if not bank_accounts.is_in_force(account, on):
        raise bank_accounts.NoBankAccount(
            _(
                "Rekening tujuan penyaluran %(number)d tidak berlaku pada %(day)s. "
                "Periksa tanggalnya; bila rekeningnya diganti, tolak usulan ini dan usulkan lagi.",
                number=settlement.id,
                day=format_date(on),
            )
        )


def record_step(
    settlement: Settlement, what: str, person_id: int | None, *, was: str | None = None, **more: str | int
) -> None:
    """Write a step to the audit trail; `was` is the state before it, `more` what came with it. None: by itself."""
    record(
        f"settlement.{what}",
        "settlement",
        settlement.id,
        person_id=person_id,
        facility_id=settlement.facility_id,
        details={
            "before": {"state": was} if was else None,
            "after": {"state": settlement.state, **more},
            "amount": settlement.amount,
            "fund_id": settlement.fund_id,
        },
    )
