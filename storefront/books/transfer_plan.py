"""Which transfers make up a settlement: planned in the transaction in which the second person approves it.

What two people agreed on is what is transferred, payment by payment. `transfer_send.py` makes them.
"""

from __future__ import annotations

import datetime

from flask_babel import gettext as _
from sqlalchemy import func, select

from storefront.books import connected_accounts, transfer_sources
from storefront.books.connect_models import ConnectedAccount, FacilityTransfer
from storefront.books.models import Settlement
from storefront.display import format_date
from storefront.errors import DomainError
from storefront.extensions import db, defer
from storefront.ledger.passing_on import OwedTo
from storefront.money import format_rupiah
from storefront.payments import connect


class NotTransferable(DomainError):
    """Less can be transferred than was proposed, or not to this account."""

    code, status = "not_transferable", 409


def account_for(of: OwedTo, on: datetime.date) -> ConnectedAccount | None:
    """The account into which this fund is transferred on a day; None: it is paid by bank."""
    if of.fund_code != transfer_sources.FUND:
        return None
    return connected_accounts.find_in_force(of.facility_id, on)


def transferable(of: OwedTo, *, but: int | None = None) -> int:
    """Rupiah of it that captured payments can be the source of, and no other settlement speaks of."""
    return sum(source.amount for source in _sources(of, but))


def plan(settlement: Settlement, of: OwedTo) -> list[FacilityTransfer]:
    """Write down the transfers of a settlement that is approved in this transaction, and queue them.

    The caller holds the account. Raises NotTransferable when less can be transferred by now, TransfersOff.
    """
    chosen = transfer_sources.up_to(settlement.amount, _sources(of, settlement.id))
    if sum(source.amount for source in chosen) < settlement.amount:
        raise NotTransferable(
            _(
                "Yang dapat ditransfer lewat Stripe untuk penyaluran %(number)d kini tinggal %(left)s. "
                "Tolak usulan ini, lalu usulkan lagi.",
                number=settlement.id,
                left=format_rupiah(sum(source.amount for source in chosen)),
            )
        )
    found = [
        FacilityTransfer(
            settlement_id=settlement.id,
            payment_id=source.payment_id,
            amount=source.amount,
            key=f"settlement:{settlement.id}:{source.payment_id}",
        )
        for source in chosen
    ]
    db.session.add_all(found)
    db.session.flush()
    defer("books.send_transfers", settlement_id=settlement.id)
    return found


def require_account(settlement: Settlement, on: datetime.date) -> None:
    """The account it goes to is still the facility's. Raises TransfersOff, NotTransferable."""
    if not connect.is_on():
        raise connected_accounts.TransfersOff()
    account = connected_accounts.find_in_force(settlement.facility_id, on)
    if account is None or account.id != settlement.connected_account_id:
        raise NotTransferable(
            _(
                "Akun Stripe tujuan penyaluran %(number)d tidak berlaku pada %(day)s. "
                "Tolak usulan ini, lalu usulkan lagi.",
                number=settlement.id,
                day=format_date(on),
            )
        )


def _sources(of: OwedTo, but: int | None) -> list[transfer_sources.Source]:
    """Of what is owed and no transfer speaks of yet; what waits to be paid by bank is still owed."""
    spoken_for = (
        select(func.coalesce(func.sum(Settlement.amount - func.already_transferred(Settlement.id)), 0))
        .where(Settlement.facility_id == of.facility_id, Settlement.fund_id == of.fund_id)
        .where(Settlement.connected_account_id.is_not(None), Settlement.state.in_(("proposed", "approved")))
        .where(Settlement.id.is_distinct_from(but))
    )
    unsettled = of.net() - int(db.session.scalar(spoken_for) or 0)
    return transfer_sources.sources(of.facility_id, unsettled)
