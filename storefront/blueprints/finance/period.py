"""Which days and which facility a finance page speaks of, as its address says."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from storefront import days
from storefront.blueprints.finance import reach
from storefront.exports import sales
from storefront.exports.sales import BadRange, Selection, UnknownFacility
from storefront.extensions import db
from storefront.facilities.models import Facility


@dataclass
class Choice:
    """What was asked for: texts as they stand in the form, and the selection, or what is wrong by field."""

    first: str
    last: str
    facility: str
    selection: Selection | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def query(self) -> dict[str, str]:
        """The choice as query arguments of an address."""
        asked = {"from": self.first, "to": self.last, "facility": self.facility}
        return {name: value for name, value in asked.items() if value}


def chosen(arguments: Mapping[str, str]) -> Choice:
    """Read `month` (2026-11) or `year` (2026), else `from` and `to` (default: this month), and `facility`."""
    first, last = _days(arguments)
    choice = Choice(first, last, arguments.get("facility", "").strip().upper()[:20])
    found = {name: _day(value) for name, value in (("from", first), ("to", last))}
    for name, day in found.items():
        if day is None:
            choice.errors[name] = _("Tulis tanggalnya seperti 2026-11-30.")
    begin, end = found["from"], found["to"]
    if begin is None or end is None:
        return choice
    try:
        choice.selection = sales.select(
            db.engine, begin, end, facility=choice.facility or None, reach=reach()
        )
    except BadRange as error:
        choice.errors["to"] = str(error.message)
    except UnknownFacility as error:
        choice.errors["facility"] = str(error.message)
    return choice


def facilities() -> list[tuple[str, str]]:
    """Code and name of the facilities that the reader may choose from."""
    ids = reach()
    query = select(Facility.code, Facility.name).order_by(Facility.name)
    if ids is not None:
        query = query.where(Facility.id.in_(ids))
    return [(code, f"{name} ({code})") for code, name in db.session.execute(query)]


def chosen_year(text: str, years: list[int]) -> int:
    """The year written in `text` if it is one of `years`, else the latest with sales."""
    return int(text) if text.isdecimal() and int(text[:9]) in years else years[0]


def _days(arguments: Mapping[str, str]) -> tuple[str, str]:
    month, year = arguments.get("month", ""), arguments.get("year", "")
    first = _day(f"{month}-01") or _day(f"{year}-01-01")
    if first is not None and not arguments.get("from"):
        last = first.replace(month=12, day=31) if not month else _month_end(first)
        return first.isoformat(), last.isoformat()
    today = days.today()
    return (
        arguments.get("from") or today.replace(day=1).isoformat(),
        arguments.get("to") or _month_end(today.replace(day=1)).isoformat(),
    )


def _month_end(first: datetime.date) -> datetime.date:
    return (first + datetime.timedelta(days=31)).replace(day=1) - datetime.timedelta(days=1)


def _day(text: Any) -> datetime.date | None:
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1900 <= day.year <= 9000 else None
