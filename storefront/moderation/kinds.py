"""What can be moderated: each kind with its room's two functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Said(NamedTuple):
    """Something said before or beside it."""

    #: `asker`, `facility`, `review`.
    by: str
    text: str
    language: str = "id"


class Picture(NamedTuple):
    """A picture that only curators may open yet."""

    id: int
    alt: str
    width: int
    height: int


@dataclass(frozen=True)
class Shown:
    """One thing as a curator reads it, with what it belongs to."""

    text: str
    #: What the text is written in, as far as is known.
    language: str = "id"
    product_title: str = ""
    product_slug: str = ""
    #: Of the writer, as the public would see it.
    city: str = ""
    is_buyer: bool = False
    #: 1 to 5; None: no review.
    stars: int | None = None
    #: Whether the public will see it at all, or the two who talk.
    is_private: bool = False
    around: tuple[Said, ...] = ()
    pictures: tuple[Picture, ...] = field(default=())


@dataclass(frozen=True)
class Kind:
    """A kind of thing, its room's way to show it and to write down what was decided."""

    name: str
    show: Callable[[Iterable[int]], Mapping[int, Shown]]
    apply: Callable[[int, bool], None]


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Have things of this kind moderated."""
    KINDS[kind.name] = kind
