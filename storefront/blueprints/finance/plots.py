"""The plots of finance's pages with the bars that their templates draw."""

from __future__ import annotations

import datetime

from storefront.extensions import db
from storefront.ledger.bars import Bar, month_label
from storefront.reports import plots
from storefront.reports.plots import Plot
from storefront.reports.reports import By
from storefront.snapshot import driver_connection


def drawn(facility_ids: list[int] | None, until: datetime.date) -> list[tuple[Plot, list[Bar]]]:
    """The plots of the twelve months up to the one of `until`, each with its bars."""
    connection = driver_connection(db.session.connection())
    found = plots.plots(connection, facility_ids, plots.twelve_months(until))
    return [(plot, _bars(plot)) for plot in found]


def _bars(plot: Plot) -> list[Bar]:
    if plot.by is not By.MONTH:
        return [Bar(row.label, row.parts) for row in plot.rows]
    return [Bar(month_label(row.month), row.parts) for row in plot.rows]
