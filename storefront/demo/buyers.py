"""Invented buyers: names and streets put together at random in real districts, with numbers and e-mails that reach
nobody."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from storefront.demo.files import BuyerWords, City
from storefront.orders.place import Address, Contact

SHOPPER = "shopper@demo.test"


class Home(NamedTuple):
    """Where somebody lives."""

    name: str
    province: str


@dataclass(frozen=True)
class Buyer:
    """Somebody who orders; `is_shopper`: the demo account."""

    contact: Contact
    address: Address
    locale: str
    is_shopper: bool = False

    @property
    def home(self) -> Home:
        return Home(self.address.city, self.address.province)


def shopper(name: str) -> Buyer:
    """The demo account's own data."""
    address = Address("Jalan Bintang Timur 14", "Banyumanik", "Semarang", "Jawa Tengah", "50264")
    return Buyer(Contact(name, SHOPPER, "+628000000001"), address, "id", True)


class Buyers:
    """Draws buyers; in each city some come again."""

    def __init__(self, words: BuyerWords, rng: random.Random) -> None:
        self.words = words
        self.rng = rng
        self._number = 1
        self._known: dict[City, list[Buyer]] = {}

    def in_one_of(self, cities: Sequence[City]) -> Buyer:
        """A new or known buyer in one of `cities`, the larger ones oftener."""
        city = self.rng.choices(cities, [city.weight for city in cities])[0]
        known = self._known.setdefault(city, [])
        if known and self.rng.random() < 0.3:
            return self.rng.choice(known)
        known.append(self._new(city))
        return known[-1]

    def _new(self, city: City) -> Buyer:
        rng, words = self.rng, self.words
        given, family = rng.choice(words.given), rng.choice(words.family)
        self._number += 1
        contact = Contact(
            name=f"{given} {family}",
            # example.test can never be a real domain (RFC 6761); +62 800 belongs to no person.
            email=f"{given}.{family}{self._number}@example.test".lower() if rng.random() < 0.9 else None,
            phone=f"+62800{self._number:07}",
        )
        district, codes = rng.choice(city.districts)
        address = Address(
            line1=f"{rng.choice(words.streets)} {rng.randrange(1, 120)}",
            district=district,
            city=city.name,
            province=city.province,
            postal_code=rng.choice(codes),
        )
        return Buyer(contact, address, "en" if rng.random() < 0.06 else "id")
