"""One page of a short list with the number of all its rows; long ones are paged by key (`storefront/keyset.py`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import TextClause

from storefront.extensions import db

T = TypeVar("T")
#: Rows on one page.
PAGE = 50


@dataclass(frozen=True)
class Listed(Generic[T]):
    """Rows of one page; `total` counts all rows, `amount` sums them in rupiah."""

    rows: Sequence[T]
    total: int
    amount: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


def listed(make: type[T], query: TextClause, values: dict[str, Any], page: int) -> Listed[T]:
    """The page of `query`, whose rows carry `all_rows` and `all_amount` beside the fields of `make`."""
    found = db.session.execute(query, {**values, "limit": PAGE, "offset": (page - 1) * PAGE}).mappings().all()
    total, amount = (found[0]["all_rows"], found[0]["all_amount"]) if found else (0, 0)
    rows = [make(**{k: v for k, v in row.items() if k not in ("all_rows", "all_amount")}) for row in found]
    return Listed(rows, total, int(amount or 0), page)


def as_list(facility_ids: Iterable[int] | None) -> list[int] | None:
    """Ids as a query takes them; None means all facilities."""
    return None if facility_ids is None else list(facility_ids)
