"""What a cashier's role needs to know of its fair, whose own room lies above this one."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import column, select, table

from storefront.days import today
from storefront.extensions import db

#: The fairs' table, for queries of this room.
FAIRS = table("exhibitions", *map(column, ("id", "name", "starts_on", "ends_on")))


@dataclass(frozen=True)
class RoleFair:
    """A fair that somebody sells at, or is asked to."""

    name: str
    starts_on: datetime.date
    ends_on: datetime.date

    @property
    def is_over(self) -> bool:
        return self.ends_on < today()


def fair_of(exhibition_id: int) -> RoleFair:
    """The fair of a cashier's role."""
    of_it = select(FAIRS.c.name, FAIRS.c.starts_on, FAIRS.c.ends_on).where(FAIRS.c.id == exhibition_id)
    return RoleFair(*db.session.execute(of_it).one())
