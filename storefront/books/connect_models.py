"""Facilities' accounts at a provider, and the transfers that settle working capital into them (STRIPE_CONNECT)."""

from __future__ import annotations

import datetime

from sqlalchemy import FetchedValue, ForeignKey, Integer
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from storefront.extensions import db
from storefront.people.models import Proposal


class ConnectedAccount(Proposal, db.Model):  # type: ignore[name-defined]
    """A facility's own account at the provider. Proposed by one person, approved by another."""

    __tablename__ = "connected_accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    #: The provider's id: `acct_…`.
    account: Mapped[str]
    permission_letter: Mapped[str]
    valid_from: Mapped[datetime.date]
    valid_to: Mapped[datetime.date | None]
    #: Its last day as somebody proposes it; `valid_to` once a second person agrees.
    end_on: Mapped[datetime.date | None]
    end_proposed_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    end_approved_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class AskedFor:
    """Columns of what we ask a provider for, and may have to ask again."""

    #: Ours, by which the provider finds it again for ever.
    key: Mapped[str]
    #: `planned`: on its way, or nobody knows. `made`. `failed`: refused. `dropped`: it will not be.
    state: Mapped[str] = mapped_column(default="planned")
    #: How often it was asked for anew, after a plain no.
    attempt: Mapped[int] = mapped_column(Integer, default=1)
    #: The provider's id.
    reference: Mapped[str | None]
    failure: Mapped[str] = mapped_column(default="")
    made_at: Mapped[datetime.datetime | None]

    @declared_attr
    def planned_at(cls) -> Mapped[datetime.datetime]:
        return mapped_column(server_default=FetchedValue())


class FacilityTransfer(AskedFor, db.Model):  # type: ignore[name-defined]
    """The part of a settlement that is sourced from one payment's captured money."""

    __tablename__ = "facility_transfers"

    id: Mapped[int] = mapped_column(primary_key=True)
    settlement_id: Mapped[int] = mapped_column(ForeignKey("settlements.id"))
    payment_id: Mapped[str] = mapped_column(ForeignKey("payments.id"))
    amount: Mapped[int]
    #: What came back of it; added up by the database.
    reversed: Mapped[int] = mapped_column(server_default=FetchedValue(), server_onupdate=FetchedValue())


class TransferReversal(AskedFor, db.Model):  # type: ignore[name-defined]
    """The part of a transfer that comes back because a refund or a lost dispute took its working capital."""

    __tablename__ = "transfer_reversals"

    id: Mapped[int] = mapped_column(primary_key=True)
    transfer_id: Mapped[int] = mapped_column(ForeignKey("facility_transfers.id"))
    #: `refund:<id>:<which time>` or `dispute:<id>`.
    source: Mapped[str]
    amount: Mapped[int]
