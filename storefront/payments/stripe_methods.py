"""What Stripe's page takes, as the shop names it before; the page itself offers what the dashboard says."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import lazy_gettext as _

from storefront.payments.methods import Method
from storefront.payments.stripe_money import LARGEST_CHARGE, LEAST_CHARGE

METHODS = {
    "card": Method(
        "card", _("Kartu kredit atau debit"), minimum=LEAST_CHARGE, maximum=LARGEST_CHARGE, can_refund=True
    ),
    # Bank Indonesia allows Rp 10 million a payment by QRIS; most issuers cannot take money back.
    "qris": Method("qris", "QRIS", minimum=LEAST_CHARGE, maximum=10_000_000, can_refund=False),
    # An e-money account of a known person holds at most Rp 20 million (Bank Indonesia).
    "gopay": Method("gopay", "GoPay", minimum=LEAST_CHARGE, maximum=20_000_000, can_refund=True),
}
#: Stripe's own names of ways to pay that cannot give money back.
WITHOUT_REFUNDS = frozenset({"qris", "id_bank_transfer"})


def methods(codes: Sequence[str]) -> tuple[Method, ...]:
    """The methods called `codes` (STRIPE_METHODS)."""
    return tuple(METHODS[code] for code in codes)
