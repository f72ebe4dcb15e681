"""Ways to pay, named before a shopper gives an address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _

#: What each gateway's payment page takes.
METHODS: Mapping[str, Sequence[Any]] = {
    "sandbox": (_("Halaman pembayaran percobaan: tidak ada uang sungguhan"),),
    "stripe": (_("Kartu kredit"), _("Kartu debit"), _("Google Pay dan Apple Pay")),
}


def payment_methods(gateway: str) -> Sequence[Any]:
    """What can be paid with at the gateway called `gateway`, in the words of the page."""
    return METHODS.get(gateway, ())
