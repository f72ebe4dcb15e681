"""Training on the impact page and in its files: by year against targets, by kind, by region; and its link to sales."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from storefront.catalogue.filters import slug_of
from storefront.small_counts import SMALLEST, Figure
from storefront.training.models import Kind
from storefront.training.published import Counted, Target, Trained

#: Columns of the tables: of years, of places, of kinds.
SHOWN = ("participants", "women", "passed", "certified")
OF_PLACES = ("participants", "certified")
OF_KINDS = ("participants",)
LATER = ("own_business", "employed")
#: What a target's measure is counted by, where that is called otherwise.
COUNTED_BY = {"new_entrepreneurs": "own_business"}


@dataclass(frozen=True)
class Line:
    """A row of a table: what it is of, how many programmes, and the counts by measure."""

    name: str
    programmes: int
    counts: Mapping[str, Figure]
    #: What was taught, without counts.
    skills: tuple[str, ...] = ()

    @property
    def slug(self) -> str:
        """The name as it stands in an address."""
        return slug_of(self.name)

    @property
    def cells(self) -> list[str | int | None]:
        """The counts for a file; empty: hidden."""
        return [None if found.is_hidden or found.is_empty else found.value for found in self.counts.values()]


@dataclass(frozen=True)
class Progress:
    """A target, and what was reached of it as far as the public may know."""

    target: Target
    #: None: the shop has no count of this.
    reached: Figure | None

    @property
    def per_cent(self) -> int | None:
        """Whole per cent reached, rounded down."""
        if self.reached is None or self.reached.is_hidden:
            return None
        return self.reached.value * 100 // self.target.people


@dataclass(frozen=True)
class SalesLink:
    """Workshops with certified makers beside the others: how many, and what they sold together, in rupiah."""

    certified: int
    certified_sum: int
    others: int
    others_sum: int

    @property
    def certified_average(self) -> int:
        return self.certified_sum // self.certified

    @property
    def others_average(self) -> int:
        return self.others_sum // self.others


def line(
    trained: Trained,
    name: str,
    belongs: Callable[[Counted], bool],
    locale: str = "id",
    shown: Sequence[str] = OF_PLACES,
) -> Line:
    """The row over the programmes that belong to it."""
    living = [row for row in trained.living if belongs(row)]
    skills = {(row.skill_en or row.skill) if locale == "en" else row.skill for row in living}
    counts = {measure: trained.figure(measure, belongs) for measure in shown}
    if shown is OF_PLACES:
        counts["certified"] = counts["certified"].if_whole()
    return Line(name, len(living), counts, tuple(sorted(skills)))


def by_year(trained: Trained) -> list[Line]:
    """Years with programmes, the oldest first."""
    return [
        line(trained, str(year), lambda row, y=year: row.year == y, shown=SHOWN)  # type: ignore[misc]
        for year in reversed(trained.years())
    ]


def later_by_year(trained: Trained) -> list[Line]:
    """Years with programmes of whose people it was counted later what became of them, the oldest first."""
    found = (
        line(trained, str(year), lambda row, y=year: row.year == y, shown=LATER)  # type: ignore[misc]
        for year in reversed(trained.years())
    )
    return [one for one in found if not all(count.is_empty for count in one.counts.values())]


def by_kind(trained: Trained) -> list[Line]:
    """Kinds that there were, in their order; `name` is the kind's code."""
    found = (
        line(trained, kind.value, lambda row, k=kind: row.kind == k, shown=OF_KINDS)  # type: ignore[misc]
        for kind in Kind
    )
    return [one for one in found if one.programmes]


def by_region(trained: Trained, locale: str) -> list[Line]:
    """Provinces by name, with the skills taught there."""
    names = sorted({row.province for row in trained.living})
    return [line(trained, name, lambda row, n=name: row.province == n, locale) for name in names]  # type: ignore[misc]


def progress(trained: Trained) -> list[Progress]:
    """Every target by year; those of before the shop have nothing to be compared with."""
    return [Progress(target, _reached(trained, target)) for target in trained.targets]


def _reached(trained: Trained, target: Target) -> Figure | None:
    years = trained.years()
    if not years or target.year < years[-1]:
        return None
    measure = COUNTED_BY.get(target.measure, target.measure)
    return trained.figure(
        measure, lambda row: row.year == target.year or (target.is_cumulative and row.year < target.year)
    )


def sales_link(trained: Trained, sold: Mapping[int, int]) -> SalesLink | None:
    """Compare workshops that sold (by id, in rupiah); None unless each group has five workshops or more.

    A workshop counts among the first when five or more of its makers hold a certificate, so that the groups tell
    nothing of fewer.
    """
    certified: dict[int, int] = {}
    for row in trained.living:
        certified[row.workshop_id] = certified.get(row.workshop_id, 0) + row.certified
    first = [amount for workshop, amount in sold.items() if certified.get(workshop, 0) >= SMALLEST]
    others = [amount for workshop, amount in sold.items() if certified.get(workshop, 0) < SMALLEST]
    if min(len(first), len(others)) < SMALLEST:
        return None
    return SalesLink(len(first), sum(first), len(others), sum(others))
