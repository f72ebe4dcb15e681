"""The checkout's form: what was typed, kept whatever happens, and what can be chosen for it now."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from storefront.cart import delivery, ways
from storefront.cart.problems import NotSentThere
from storefront.cart.view import CartView, ParcelGoods
from storefront.days import today
from storefront.errors import DomainError, Invalid
from storefront.facilities.working_days import calendars
from storefront.languages import locale
from storefront.shipping.addresses import ADDRESS_FIELDS, LENGTHS, Refused, one_line
from storefront.shipping.advice import advise, fingerprint
from storefront.shipping.destinations import destination_for
from storefront.shipping.find_places import Filled, choices_for, fill
from storefront.shipping.quote import Option, ParcelQuote
from storefront.shipping.rates import methods_of, pickup_only, quote

CONTACT_FIELDS = ("name", "email", "phone")
NOTE_FIELDS = ("gift_note", "note")
#: Name of a parcel's radio buttons, before its facility's code.
SHIPPING_PREFIX = "shipping-"
LONGEST_VALUE = 400
LONGEST_NOTE = 2000
#: A fair's address is part of a choice.
LONGEST_CHOICE = 100


@dataclass(frozen=True)
class ParcelChoice:
    """What a shopper may choose for one parcel, and what is chosen."""

    parcel: ParcelGoods
    quote: ParcelQuote
    chosen: Option | None
    not_sent: tuple[NotSentThere, ...]
    #: When the parcel leaves, if it is paid today.
    leaves_on: datetime.date

    @property
    def field(self) -> str:
        return SHIPPING_PREFIX + self.parcel.facility.code

    def arrives_on(self, option: Option) -> datetime.date:
        """The day by which the parcel should be there, or ready at the gallery, if it is paid today."""
        return delivery.arrives_on(option, self.leaves_on)


@dataclass(frozen=True)
class Typed:
    """What the shopper has typed and chosen so far, as text."""

    values: Mapping[str, str]
    chosen: Mapping[str, str]
    key: str
    cart_id: int | None = None
    #: The total that stood on the page, rupiah; None before there was one.
    seen_total: int | None = None
    #: The way to pay, empty before one was chosen.
    method: str = ""
    #: Code of the district that was chosen among several with one postal code.
    place: str = ""
    #: Fingerprint of the advice about the address that stood on the page.
    advised: str = ""
    #: Numbers of the shopper's own unpaid orders that they chose to replace.
    replaces: tuple[str, ...] = ()

    @classmethod
    def nothing(cls, values: Mapping[str, str] | None = None) -> Typed:
        """An untouched form with a fresh idempotency key."""
        return cls(values or {}, {}, secrets.token_urlsafe(18))

    @classmethod
    def read(cls, form: Mapping[str, str]) -> Typed:
        """What a browser sent; anything too long is cut, so that a page can show it again."""

        def number(name: str) -> int | None:
            text = form.get(name, "")
            return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None

        chosen = {
            name.removeprefix(SHIPPING_PREFIX): value[:LONGEST_CHOICE]
            for name, value in list(form.items())[:200]
            if name.startswith(SHIPPING_PREFIX) and value
        }
        values = {name: form.get(name, "")[:LONGEST_VALUE] for name in (*CONTACT_FIELDS, *ADDRESS_FIELDS)}
        values |= {name: form.get(name, "")[:LONGEST_NOTE] for name in NOTE_FIELDS}
        key = form.get("key", "")[:100].strip()
        method = form.get("payment_method", "")[:40]
        return cls(
            values,
            chosen,
            key or secrets.token_urlsafe(18),
            number("cart"),
            number("expected_total"),
            method,
            form.get("place", "")[:10],
            form.get("advised", "")[:40],
        )

    def completed(self) -> Typed:
        """The same with what the postal code says of the fields left empty."""
        return replace(self, values={**self.values, **fill(self.values, self.place).values})

    def request_data(self) -> dict[str, Any]:
        """The same in the shape of the API's checkout call. An untouched address is no address."""
        address = {name: self.values.get(name, "").strip() for name in ADDRESS_FIELDS}
        return {
            **{name: self.values.get(name) for name in (*CONTACT_FIELDS, *NOTE_FIELDS)},
            "address": address if any(address.values()) else None,
            "shipping": dict(self.chosen),
            "expected_total": self.seen_total,
            "payment_method": self.method or None,
        }


@dataclass(frozen=True)
class Form:
    """Everything the template shows of the form."""

    typed: Typed
    choices: tuple[ParcelChoice, ...]
    items_total: int
    #: Whether province and city are known, so that the amounts are those of this address.
    is_quoted: bool
    errors: Mapping[str, Any] = field(default_factory=dict)
    #: Beside the address: what does not fit, and what would.
    advice: Mapping[str, str] = field(default_factory=dict)
    #: Deliveries of each facility (id → code, name, courier), while the amounts are not known.
    awaited: Mapping[int, Sequence[tuple[str, str, str]]] = field(default_factory=dict)

    @cached_property
    def filled(self) -> Filled:
        """The districts to choose from while the postal code is that of several."""
        return fill(self.typed.values)

    @cached_property
    def lists(self) -> dict[str, list[str]]:
        """What can be chosen for city, district and postal code."""
        return choices_for(self.typed.values)

    @property
    def advised(self) -> str:
        """The fingerprint of the advice on this page."""
        return fingerprint(self.advice)

    @property
    def shipping_total(self) -> int | None:
        """Rupiah for all parcels; None while one of them has no way to its buyer."""
        if not all(choice.chosen for choice in self.choices):
            return None
        return sum(choice.chosen.amount for choice in self.choices if choice.chosen)

    @property
    def total(self) -> int | None:
        """Rupiah to pay; None while it is not known."""
        return None if self.shipping_total is None else self.items_total + self.shipping_total

    @cached_property
    def ways(self) -> list[ways.Way]:
        """Ways to pay this total, or, while it is not known, the goods and whatever shipping will add."""
        if self.total is not None and self.is_quoted:
            return ways.ways(self.total)
        return ways.ways(self.items_total, may_grow=True)

    @property
    def way(self) -> str:
        """The code of the way that is chosen, else of the first that can pay."""
        open_ones = [way.code for way in self.ways if way.is_open]
        if self.typed.method in open_ones:
            return self.typed.method
        return open_ones[0] if open_ones else ""

    @property
    def not_payable(self) -> str | None:
        """Why that total cannot be paid at once, if so."""
        reason = ways.not_payable(self.total) if self.total is not None else None
        return None if reason is None else str(reason.message)


def build(view: CartView, typed: Typed, errors: Mapping[str, Any] | None = None) -> Form:
    """The form for a cart and what was typed; the chosen options where they are still offered."""
    found = dict(errors or {})
    quotes, is_quoted = _quotes(view, typed, found)
    day = today()
    days = calendars([parcel.facility.id for parcel in view.parcels], day)
    choices = tuple(
        _choice(parcel, quotes[parcel.facility.id], typed, parcel.leaves_on(day, days[parcel.facility.id]))
        for parcel in view.parcels
    )
    awaited = {} if is_quoted else methods_of(view.pieces, locale())
    return Form(typed, choices, view.items_total, is_quoted, found, advise(typed.values), awaited)


def _quotes(view: CartView, typed: Typed, errors: dict[str, Any]) -> tuple[dict[int, ParcelQuote], bool]:
    """Quotes for the typed province and city, or for what is collected alone while they are not known."""
    try:
        given = {name: one_line(typed.values.get(name), LENGTHS[name]) for name in ("province", "city", "district")}
        if given["province"] and given["city"]:
            code = typed.values.get("postal_code", "").strip()[:20]
            there = destination_for(**given, postal_code=code, field="province")
            return delivery.with_stands(view, quote(view.pieces, there)), True
    except Refused:
        pass  # said beside the field when the order is sent
    except Invalid as refusal:
        errors |= errors_of(refusal)
    return delivery.with_stands(view, pickup_only(view.pieces)), False


def _choice(
    parcel: ParcelGoods, parcel_quote: ParcelQuote, typed: Typed, leaves_on: datetime.date
) -> ParcelChoice:
    code = typed.chosen.get(parcel.facility.code)
    chosen = parcel_quote.option(code) if code else None
    return ParcelChoice(
        parcel,
        parcel_quote,
        chosen or parcel_quote.cheapest,
        tuple(delivery.not_sent(parcel, parcel_quote)),
        leaves_on,
    )


def errors_of(refusal: DomainError) -> dict[str, Any]:
    """The sentences of a refused request under the names of the form's fields."""
    if not isinstance(refusal, Invalid):
        return {}
    return {
        name.removeprefix("address.").replace("shipping.", SHIPPING_PREFIX): str(sentence)
        for name, sentence in refusal.errors.items()
    }
