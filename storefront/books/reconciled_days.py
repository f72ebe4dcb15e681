"""The gateways in use, and which of their days were compared with the provider (`storefront/reconciliation`)."""

from __future__ import annotations

import datetime

from flask import current_app
from sqlalchemy import text

from storefront.display import format_date
from storefront.extensions import db

DAY = datetime.timedelta(days=1)

#: Payments as a rule; entries alone where they were invented, or came over from elsewhere.
FIRST_USE = text(
    """
    SELECT g.name, LEAST(
           (SELECT accounting_date(created_at) FROM payments WHERE gateway = g.name ORDER BY created_at LIMIT 1),
           (SELECT p.effective_date FROM postings p
             WHERE p.account_id = (SELECT id FROM accounts WHERE code = 'clearing:' || g.name)
             ORDER BY p.effective_date LIMIT 1)) AS day
      FROM unnest(CAST(:gateways AS text[])) g (name) ORDER BY g.name"""
)
MISSING_DAYS = text(
    """
    (SELECT day::date FROM generate_series(CAST(:first AS date), CAST(:last AS date), interval '1 day') day
     EXCEPT SELECT day FROM reconciled_days WHERE gateway = :gateway AND is_final)
     UNION SELECT day FROM reconciliation_left WHERE gateway = :gateway AND day BETWEEN :first AND :last
     ORDER BY 1"""
)


def in_use() -> list[str]:
    """The gateways that can be asked and that were ever used."""
    rows = db.session.execute(FIRST_USE, {"gateways": list(current_app.extensions["gateways"])})
    return [row.name for row in rows if row.day is not None]


def first_use(gateway_name: str) -> datetime.date | None:
    """The day from which on there is something to compare."""
    day: datetime.date | None = db.session.execute(FIRST_USE, {"gateways": [gateway_name]}).one().day
    return day


def not_reconciled(gateway_name: str, first: datetime.date, last: datetime.date) -> list[str]:
    """Days from `first` to `last` that were not wholly compared after they ended, stretch by stretch, in words."""
    begun = first_use(gateway_name)
    if begun is None or begun > last:
        return []
    values = {"gateway": gateway_name, "first": max(first, begun), "last": last}
    found = db.session.scalars(MISSING_DAYS, values).all()
    stretches: list[list[datetime.date]] = []
    for day in found:
        if stretches and stretches[-1][1] + DAY == day:
            stretches[-1][1] = day
        else:
            stretches.append([day, day])
    return [
        format_date(begin) if begin == end else f"{format_date(begin)} – {format_date(end)}"
        for begin, end in stretches
    ]
