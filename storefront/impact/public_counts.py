"""Training and premium passed on, as far as the public may know them: what pages show beside the ledger."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storefront.extensions import db
from storefront.impact import passed_on
from storefront.small_counts import Released
from storefront.training import published
from storefront.training.published import Trained

QUERY = text(
    f"SELECT t.*, (SELECT json_agg(d) FROM ({passed_on.QUERY}) d) AS passed_on FROM ({published.QUERY}) t"  # noqa: S608
)


@dataclass(frozen=True)
class PublicCounts:
    """Sums of whole blocks alone (`storefront.small_counts`)."""

    trained: Trained
    passed_on: Released


def read_public_counts() -> PublicCounts:
    """What is known now, by one query."""
    row = db.session.execute(QUERY).one()
    trained = published.from_rows(row.programmes or [], row.outcomes or [], row.targets or [], None)
    return PublicCounts(trained, passed_on.released_of([_timed(item) for item in row.passed_on or []]))


def _timed(item: dict[str, Any]) -> dict[str, Any]:
    """A row of JSON with its moments."""
    known = {name: item[name] for name in ("approved_at", "rejected_at")}
    return item | {name: at and datetime.datetime.fromisoformat(at) for name, at in known.items()}
