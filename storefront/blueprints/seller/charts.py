"""Months as rows of the bar chart that stands beside its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import format_date

from storefront.ledger.earnings import EarnedPart, MonthEarned


@dataclass(frozen=True)
class Bar:
    """One bar: a short name of the month and its parts from below."""

    label: str
    parts: tuple[EarnedPart, ...]


def bars(months: Sequence[MonthEarned]) -> list[Bar]:
    """The months as bars; January carries its year."""
    return [Bar(format_date(m.month, "MMM yy" if m.month.month == 1 else "MMM"), m.parts) for m in months]
