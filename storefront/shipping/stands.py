"""Fairs at whose stand parcels are collected: what those read who come there, and which of them still stand."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import NamedTuple

from flask_babel import gettext as _
from sqlalchemy import text

from storefront.display import format_day, language
from storefront.extensions import db

#: Before a fair's slug: what is chosen at checkout. No method's own code has a hyphen.
PREFIX = "stand-"
COLUMNS = "x.id, x.slug, x.name, x.venue, x.city, x.starts_on, x.ends_on, x.hours, x.hours_en"
KNOWN = text(f"SELECT {COLUMNS} FROM exhibitions x WHERE x.id = ANY (:ids)")  # noqa: S608 - a piece of our own
#: Whoever changes the fair, or who takes part in it, waits until an order for it is written; and the other way round.
HOLD = text("SELECT id FROM exhibitions WHERE slug = ANY (:slugs) ORDER BY id FOR SHARE")
STILL = text(
    """
    SELECT NOT EXISTS (
           SELECT FROM parcels p JOIN exhibitions x ON x.id = p.exhibition_id
            WHERE p.order_id = :order_id AND (x.ends_on < :day OR x.kind <> 'hall' OR NOT EXISTS (
                  SELECT FROM exhibition_facilities f
                   WHERE (f.exhibition_id, f.facility_id) = (p.exhibition_id, p.facility_id))))"""
)


class Stand(NamedTuple):
    """A fair with a hall, as those read it who collect there. Its days are inclusive."""

    exhibition_id: int
    slug: str
    name: str
    venue: str
    city: str
    starts_on: datetime.date
    ends_on: datetime.date
    hours: str
    hours_en: str

    @property
    def code(self) -> str:
        """What is chosen at checkout."""
        return PREFIX + self.slug

    @property
    def where(self) -> str:
        return ", ".join(part for part in (self.venue, self.city) if part)

    @property
    def days(self) -> str:
        """`27 November – 28 Desember`, in the reader's language."""
        first, last = format_day(self.starts_on), format_day(self.ends_on)
        return first if self.starts_on == self.ends_on else f"{first} – {last}"

    @property
    def opening(self) -> str:
        """Opening hours as the office wrote them, in the reader's language; may be empty."""
        return (self.hours_en if language() == "en" else "") or self.hours

    @property
    def called(self) -> str:
        """How a parcel for it travels, in the reader's language."""
        return _("Ambil di stan %(fair)s", fair=self.name)

    @property
    def whole(self) -> str:
        """The same with where and when."""
        return ", ".join(part for part in (self.called, self.where, self.days) if part)


def known(ids: Iterable[int | None]) -> dict[int, Stand]:
    """Fairs by their ids; None among them is passed over."""
    wanted = {id_ for id_ in ids if id_ is not None}
    rows = db.session.execute(KNOWN, {"ids": list(wanted)}) if wanted else ()
    return {row[0]: Stand(*row) for row in rows}


def hold(codes: Iterable[str]) -> None:
    """Until the caller commits, no fair among these choices changes its days, nor who takes part in it."""
    slugs = sorted({code.removeprefix(PREFIX) for code in codes if code.startswith(PREFIX)})
    if slugs:
        db.session.execute(HOLD, {"slugs": slugs})


def may_still_be_brought(order_id: int, day: datetime.date) -> bool:
    """Whether each fair that parcels of an order go to, if any, is to come or on, with their facility in it."""
    return bool(db.session.execute(STILL, {"order_id": order_id, "day": day}).scalar_one())
