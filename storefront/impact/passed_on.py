"""Premium that was passed on to makers, as far as the public may know it: sums of whole blocks alone.

A record names how many people shared its amount; neither number is public. An amount of fewer than five people goes out
only together with another of at least five (`storefront.small_counts`).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storefront.extensions import db
from storefront.small_counts import Piece, Released, release

QUERY = """
SELECT d.id, d.people, d.amount, d.approved_at, d.rejected_at, f.id AS facility_id, f.code AS facility,
       r.name AS province
  FROM premium_distributions d
  JOIN facilities f ON f.id = d.facility_id
  JOIN provinces r ON r.id = f.province_id
 WHERE d.approved_at IS NOT NULL
 ORDER BY d.approved_at, d.id"""


@dataclass(frozen=True)
class PassedOn:
    """A record as it became known (`sign` 1), or was taken back (-1)."""

    id: int
    facility_id: int
    facility: str
    province: str
    people: int
    amount: int
    known_at: datetime.datetime
    sign: int = 1

    def piece(self) -> Piece:
        """As a piece of what may be published."""
        return Piece(
            id=(self.id, self.sign),
            known_at=self.known_at,
            value=self.sign * self.amount,
            people=self.people,
            places=(self.facility, self.facility, self.province, ""),
            undoes=(self.id, 1) if self.sign < 0 else None,
            rows=(self,),
        )


def read_passed_on(until: datetime.datetime | None = None) -> Released:
    """What was passed on as it was known at `until` (default: now): one query."""
    return released_of((dict(row) for row in db.session.execute(text(QUERY)).mappings()), until)


def released_of(items: Iterable[Mapping[str, Any]], until: datetime.datetime | None = None) -> Released:
    """The blocks of what the query gives."""
    found = (row for item in items for row in _rows(item) if until is None or row.known_at <= until)
    return release(row.piece() for row in found)


def _rows(item: Mapping[str, Any]) -> list[PassedOn]:
    known = PassedOn(
        id=item["id"],
        facility_id=item["facility_id"],
        facility=item["facility"],
        province=item["province"],
        people=item["people"],
        amount=item["amount"],
        known_at=item["approved_at"],
    )
    if item["rejected_at"] is None:
        return [known]
    return [known, PassedOn(**vars(known) | {"known_at": item["rejected_at"], "sign": -1})]
