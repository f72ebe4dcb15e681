"""What a shopper sends to order: read once, checked field by field, the same for pages and programs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from flask_babel import lazy_gettext as _

from storefront.errors import Invalid
from storefront.shipping import addresses
from storefront.shipping.addresses import DeliveryAddress, Refused

#: Far above any total that the shop can reach.
MOST_RUPIAH = 10**15


@dataclass(frozen=True)
class CheckoutRequest:
    """A whole wish to order, in the form that is kept.

    `shipping` maps a facility's code to the code of a shipping method; a facility that is missing gets the
    cheapest delivery. `expected_total` is what the shopper saw, in rupiah: with shipping, or, unless
    `saw_shipping`, the cart's total without it (a program that never asked for rates knows no other).
    """

    name: str
    email: str | None
    phone: str | None
    address: DeliveryAddress | None
    shipping: Mapping[str, str] = field(default_factory=dict)
    expected_total: int | None = None
    saw_shipping: bool = False
    #: For whoever receives the goods, printed on a card; and for whoever sends them.
    gift_note: str | None = None
    note: str | None = None
    #: A gateway's name; None: the first that takes the total.
    payment_method: str | None = None

    def digest(self) -> bytes:
        """SHA-256 of the request: equal for equal wishes, whatever order or spacing they came in."""
        wish = asdict(self)
        for name in ("payment_method", "gift_note", "note"):
            if wish[name] is None:
                del wish[name]  # as it was before it could be said: old keys stay known
        return hashlib.sha256(json.dumps(wish, sort_keys=True).encode()).digest()


def read_request(data: Mapping[str, Any], *, saw_shipping: bool = False) -> CheckoutRequest:
    """The request in `data`, the body of CONTRACT.md's checkout call.

    Raises `Invalid` naming every field that is wrong, those of the address as `address.city`. An address
    may be missing altogether: then `check_out` accepts pickup only.
    """
    errors: dict[str, Any] = {}
    name = _try(errors, "name", addresses.required_line, data.get("name"), "name")
    email = _try(errors, "email", addresses.email_address, data.get("email"))
    phone = _try(errors, "phone", addresses.phone_number, data.get("phone"))
    if email is None and phone is None and not {"email", "phone"} & errors.keys():
        errors["email"] = _("Tulis surel atau nomor telepon, supaya kabar pesanan sampai kepada Anda.")
    address = _read_address(data.get("address"), errors)
    shipping = _read_shipping(data.get("shipping"), errors)
    gift_note, note = (
        _try(errors, name, addresses.note, data.get(name)) for name in ("gift_note", "note")
    )
    total = data.get("expected_total")
    if total is not None and (type(total) is not int or not 0 <= total <= MOST_RUPIAH):
        errors["expected_total"] = _("Jumlah harus rupiah bulat.")
    method = None
    try:
        method = read_method(data)
    except Invalid as refusal:
        errors |= refusal.errors
    if errors:
        raise Invalid(errors)
    return CheckoutRequest(
        name or "",
        email,
        phone,
        address,
        shipping,
        total,
        saw_shipping,
        gift_note=gift_note,
        note=note,
        payment_method=method,
    )


def read_method(data: Mapping[str, Any]) -> str | None:
    """The way to pay that `data` names as `payment_method`; None when it names none. Raises Invalid."""
    method = data.get("payment_method")
    if method is not None and (not isinstance(method, str) or not 1 <= len(method) <= 40):
        raise Invalid({"payment_method": _("Pilih cara membayarnya.")})
    return method


def _try(errors: dict[str, Any], name: str, check: Any, *values: Any) -> str | None:
    try:
        found: str | None = check(*values)
    except Refused as refused:
        errors[name] = refused.sentence
        return None
    return found


def _read_address(data: Any, errors: dict[str, Any]) -> DeliveryAddress | None:
    if data is None:
        return None
    if not isinstance(data, Mapping):
        errors["address"] = _("Alamat harus berisi line1, district, city, province dan postal_code.")
        return None
    address, wrong = addresses.delivery_address(data)
    errors.update({f"address.{name}": sentence for name, sentence in wrong.items()})
    return address


def _read_shipping(data: Any, errors: dict[str, Any]) -> dict[str, str]:
    if data is None:
        return {}
    good = isinstance(data, Mapping) and len(data) <= 200
    if not good or not all(isinstance(code, str) and isinstance(method, str) for code, method in data.items()):
        errors["shipping"] = _("Pilihan kirim harus memuat kode lapas dan kode cara kirimnya.")
        return {}
    return dict(data)
