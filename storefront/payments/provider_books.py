"""The provider's own books, as a gateway tells them: what moved its balance, and what it sent to our bank."""

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass

from storefront.payments.said import CURRENCY


class LineKind(enum.StrEnum):
    """What a line of the provider's books is about, in our words."""

    PAYMENT = "payment"
    #: Above zero: a refund that failed, its money is back with the provider.
    REFUND = "refund"
    #: A charge of its own, not of one payment.
    FEE = "fee"
    #: Above zero: the dispute was won.
    DISPUTE = "dispute"
    #: Above zero: the bank sent a payout back.
    PAYOUT = "payout"
    #: To a facility's own account there. Above zero: taken back.
    TRANSFER = "transfer"
    OTHER = "other"


@dataclass(frozen=True)
class BalanceLine:
    """One movement of what a provider holds for us, in rupiah: above zero, it holds more."""

    #: The provider's id of the line.
    reference: str
    kind: LineKind
    #: Before `fee`.
    amount: int
    #: What the provider kept of it; below zero when it gives a fee back.
    fee: int
    at: datetime.datetime
    #: Our ids, where the provider still has them.
    payment_id: str | None = None
    refund_key: str | None = None
    #: The provider's ids.
    capture_reference: str | None = None
    refund_reference: str | None = None
    dispute_reference: str | None = None
    payout_reference: str | None = None
    #: Of a transfer to a facility's account, or of its reversal: our key, and the provider's id.
    transfer_key: str | None = None
    transfer_reference: str | None = None
    description: str = ""
    currency: str = CURRENCY
    #: Hundredths of a rupiah by which the provider's own line is above `net`: a fee in per cent is seldom
    #: whole. 100 × the sum of `net` + the sum of `hundredths` = the provider's own sum.
    hundredths: int = 0

    @property
    def net(self) -> int:
        """What the balance moved by, to the nearest rupiah."""
        return self.amount - self.fee


@dataclass(frozen=True)
class ProviderPayout:
    """Money that the provider sent to our bank."""

    #: The provider's id.
    reference: str
    amount: int
    #: `on_its_way`, `paid` or `failed`.
    state: str
    #: The day on which the bank is expected to have it.
    arrives_on: datetime.date
    created_at: datetime.datetime
    #: Whether `payout_lines` names all that it consists of.
    is_explained: bool
    #: What stands on the bank's statement beside the amount, where the provider says so.
    bank_reference: str | None = None
    failure: str = ""
    currency: str = CURRENCY
