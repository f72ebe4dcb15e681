"""Rows of the bar charts that stand beside their tables, for the seller's face and finance's."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from flask_babel import format_date

from storefront.ledger.earnings import MonthEarned


class PartLike(Protocol):
    """A part of a bar: its colour and pattern, and rupiah."""

    @property
    def kind(self) -> str: ...
    @property
    def amount(self) -> int: ...


@dataclass(frozen=True)
class Bar:
    """One bar: a short name and its parts from below."""

    label: str
    parts: Sequence[PartLike]


def bars(months: Sequence[MonthEarned]) -> list[Bar]:
    """The months as bars; January carries its year."""
    return [Bar(month_label(m.month), m.parts) for m in months]


def month_label(month: datetime.date) -> str:
    """A month's short name; January carries its year."""
    label: str = format_date(month, "MMM yy" if month.month == 1 else "MMM")
    return label
