"""The days that a statement or a report speaks of: a month, or from one day to another."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from flask_babel import gettext as _

from storefront.display import format_date, format_month
from storefront.errors import DomainError, NotFound

#: Between the two days in an address; a month stands alone.
BETWEEN = "--"
EARLIEST, LATEST = datetime.date(2000, 1, 1), datetime.date(2999, 12, 31)
DAY = datetime.timedelta(days=1)


class BadSpan(DomainError):
    """The days cannot be read, lie in the wrong order or out of reach."""

    code, status = "bad_span", 422

    def __init__(self) -> None:
        super().__init__(
            _("Periode tidak dikenali. Tulis bulan seperti 2026-10, atau dua tanggal, yang awal lebih dulu.")
        )


@dataclass(frozen=True)
class Span:
    """Accounting days, both included."""

    first: datetime.date
    last: datetime.date

    def __post_init__(self) -> None:
        if not EARLIEST <= self.first <= self.last <= LATEST:
            raise BadSpan()

    @property
    def is_month(self) -> bool:
        return self == month(self.first)

    @property
    def name(self) -> str:
        """As it stands in addresses and names of files: `2026-10` or `2026-10-01--2026-10-15`."""
        return f"{self.first:%Y-%m}" if self.is_month else f"{self.first}{BETWEEN}{self.last}"

    @property
    def label(self) -> str:
        """`Oktober 2026`, or both days in words."""
        if self.is_month:
            return format_month(self.first)
        if self.first == self.last:
            return format_date(self.first)
        return f"{format_date(self.first)} – {format_date(self.last)}"

    @property
    def day_before(self) -> datetime.date:
        """The day whose end is the opening of this span."""
        return self.first - DAY

    @property
    def before(self) -> Span | None:
        """The month before, or as many days before; None where the calendar of the books ends."""
        last = self.first - DAY
        first = last.replace(day=1) if self.is_month else last - (self.last - self.first)
        return Span(first, last) if first >= EARLIEST else None

    @property
    def after(self) -> Span | None:
        """The month after, or as many days after."""
        first = self.last + DAY
        if first > LATEST:
            return None
        return month(first) if self.is_month else Span(first, min(first + (self.last - self.first), LATEST))


def month(day: datetime.date) -> Span:
    """The whole month of `day`."""
    first = day.replace(day=1)
    return Span(first, (first + 31 * DAY).replace(day=1) - DAY)


def parse(text: str) -> Span:
    """The span named `text` (see `Span.name`). Raises `BadSpan`."""
    first, between, last = text.partition(BETWEEN)
    try:
        if between:
            return Span(datetime.date.fromisoformat(first), datetime.date.fromisoformat(last))
        return month(datetime.date.fromisoformat(f"{first}-01"))
    except (ValueError, OverflowError):
        raise BadSpan() from None


def of_address(text: str) -> Span:
    """The span named `text` in an address; one that makes no sense does not exist. Raises NotFound."""
    try:
        return parse(text)
    except BadSpan:
        raise NotFound() from None


def of_days(first: str, last: str) -> Span:
    """The span from `first` to `last`, as people type them. Raises `BadSpan`."""
    return parse(f"{first.strip()}{BETWEEN}{last.strip()}")
