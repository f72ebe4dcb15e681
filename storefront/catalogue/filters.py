"""What a shopper asked the listing for, read from the address and forgiving about it.

`/products?q=&category=&group=&facility=&province=&min=&max=&availability=&rating=&sort=&page=`. A value that
makes no sense is left out, never an error: links get cut, and people edit addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Protocol
from urllib.parse import urlencode

SORTS = ("relevance", "newest", "price_low", "price_high", "rating")
#: Filters that are chosen by name, in the order of their chips.
CHOSEN = ("category", "group", "availability", "rating", "province", "facility")
#: Least mean of stars that one may ask for.
RATINGS = ("4", "3")
#: Prices to choose with one touch, in rupiah: lowest and highest, both inclusive.
PRICE_BANDS: tuple[tuple[int | None, int | None], ...] = (
    (None, 50_000),
    (50_000, 100_000),
    (100_000, 250_000),
    (250_000, 500_000),
    (500_000, 1_000_000),
    (1_000_000, None),
)
#: What the address says, and the states of a listing that it means.
AVAILABILITY = {
    "ready": ("ready", "few_left"),
    "made_to_order": ("made_to_order",),
    "sold_out": ("sold_out",),
}
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
WORD = re.compile(r"[^\W_]+", re.UNICODE)
HIGHEST_PRICE = 1_000_000_000
MOST_CHOICES, MOST_WORDS, LONGEST_WORD, LONGEST_QUERY = 20, 8, 40, 100


class Arguments(Protocol):
    """The part of werkzeug's MultiDict that is read here."""

    def getlist(self, key: str) -> list[str]: ...


class AllArguments(Protocol):
    """The part of werkzeug's MultiDict that is read where an address is written anew."""

    def items(self, *, multi: bool = False) -> Iterable[tuple[str, str]]: ...


def led_on(args: AllArguments, argument: str, merged: Mapping[str, str]) -> str | None:
    """The arguments of an address whose `argument` names what has gone into something else; None: none does.

    `merged`: what is gone, and what it went into, as they stand in addresses.
    """
    given = [(name, value) for name, value in args.items(multi=True)]
    found = [
        (name, merged.get(value.strip().lower(), value) if name == argument else value) for name, value in given
    ]
    return None if found == given else urlencode(list(dict.fromkeys(found)))


@dataclass(frozen=True)
class Filters:
    """A question to the listing; equal questions have equal addresses."""

    q: str = ""
    category: tuple[str, ...] = ()
    #: Codes of e-Smart IKM's commodity groups.
    group: tuple[str, ...] = ()
    facility: tuple[str, ...] = ()
    province: tuple[str, ...] = ()
    #: Rupiah, inclusive.
    min: int | None = None
    max: int | None = None
    availability: tuple[str, ...] = ()
    #: At least so many stars in the mean.
    rating: tuple[str, ...] = ()
    #: Empty: by relevance when there are words, else newest first.
    sort: str = ""
    page: int = 1
    #: Names of the arguments that were given and not understood.
    ignored: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def from_args(cls, args: Arguments) -> Filters:
        """Read the arguments of an address."""
        ignored: list[str] = []

        def number(name: str, most: int) -> int | None:
            given = _first(args, name)
            digits = re.sub(r"[.\s]|^rp", "", given.lower())
            if not given or (digits.isascii() and digits.isdecimal() and len(digits) <= 12):
                return min(int(digits), most) if given else None
            ignored.append(name)
            return None

        def choices(name: str, allowed: Iterable[str] | None = None) -> tuple[str, ...]:
            given = [value.strip().lower() for value in args.getlist(name) if value.strip()]
            known = [
                v
                for v in given
                if (v in allowed if allowed is not None else len(v) < 160 and SLUG.fullmatch(v))
            ]
            if len(known) < len(given):
                ignored.append(name)
            return tuple(sorted(set(known)))[:MOST_CHOICES]

        least, most = number("min", HIGHEST_PRICE), number("max", HIGHEST_PRICE)
        if least is not None and most is not None and least > most:
            least, most = most, least
        sort = _first(args, "sort")
        if sort not in ("", *SORTS):
            ignored.append("sort")
            sort = ""
        return cls(
            q=clean(_first(args, "q")),
            category=choices("category"),
            group=choices("group"),
            facility=choices("facility"),
            province=tuple(sorted({slug_of(value) for value in args.getlist("province")} - {""}))[
                :MOST_CHOICES
            ],
            min=least or None,
            max=most or None,
            availability=choices("availability", AVAILABILITY),
            # Of several the strictest would be all that counts.
            rating=choices("rating", RATINGS)[-1:],
            sort=sort,
            page=max(number("page", 1_000_000) or 1, 1),
            ignored=tuple(ignored),
        )

    @property
    def words(self) -> tuple[str, ...]:
        """The words to search for, in lower case."""
        return tuple(word[:LONGEST_WORD] for word in WORD.findall(self.q.lower())[:MOST_WORDS])

    @property
    def order(self) -> str:
        """The sort in force."""
        if self.sort == "relevance" and not self.q:
            return "newest"
        return self.sort or ("relevance" if self.q else "newest")

    @property
    def is_for_search_engines(self) -> bool:
        """Whether this is one of the pages that a search engine shall keep: the whole list, or one value of one
        filter, and each of their pages. All other combinations hold the same products once more."""
        chosen = [len(getattr(self, name)) for name in ("category", "group", "province", "facility")]
        return sum(chosen) <= 1 and self == Filters(
            category=self.category,
            group=self.group,
            province=self.province,
            facility=self.facility,
            page=self.page,
        )

    @property
    def states(self) -> tuple[str, ...]:
        """States of listings that the chosen availability means."""
        return tuple(state for name in self.availability for state in AVAILABILITY[name])

    def but(self, **changes: Any) -> Filters:
        """The same question with something else; it starts at its first page unless told."""
        return replace(self, **{"page": 1, **changes})

    def unfiltered(self) -> Filters:
        """The same words in the same order, without any filter."""
        return Filters(q=self.q, sort=self.sort)

    def toggled(self, name: str, value: str) -> Filters:
        """The question with `value` of the filter `name` taken in, or out when it is in."""
        chosen: tuple[str, ...] = getattr(self, name)
        rest = tuple(item for item in chosen if item != value) if name != "rating" else ()
        return self.but(**{name: rest if value in chosen else tuple(sorted((*chosen, value)))})

    def arguments(self) -> list[tuple[str, str]]:
        """The arguments that ask this again, only those that say something."""
        pairs: list[tuple[str, str]] = []
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name == "ignored" or not value or (item.name == "page" and value == 1):
                continue
            pairs += [(item.name, str(part)) for part in (value if isinstance(value, tuple) else (value,))]
        return pairs

    def query_string(self) -> str:
        """The arguments as `?category=mebel&page=2`, or nothing."""
        query = urlencode(self.arguments())
        return "?" + query if query else ""


def clean(text: str) -> str:
    """`text` on one line, without control characters, at most 100 characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:400]).split())[
        :LONGEST_QUERY
    ].strip()


def slug_of(name: str) -> str:
    """A name as it stands in an address: `Jawa Tengah` as `jawa-tengah`."""
    return "-".join(re.findall(r"[a-z0-9]+", name.lower()[:120]))


def _first(args: Arguments, name: str) -> str:
    return next(iter(args.getlist(name)), "").strip()
