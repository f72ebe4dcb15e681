"""Exports that a job makes, read from the replica where it knows the moment that they speak of.

Once a moment has settled, all of it stands in the primary's log. A replica that has replayed the log up to there gives
the same rows for ever, however far it is behind at any other time; where it does not come so far soon, or gives up
on the way, the primary is read.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError

from storefront import replica
from storefront.exports.moment import settle
from storefront.extensions import db
from storefront.sources import Source, reading

log = structlog.get_logger("storefront.exports")

#: How long a job waits for the replica, in seconds.
PATIENCE = 10.0

Made = TypeVar("Made")


def settled(moment: datetime | None, work: Callable[[datetime], Made]) -> Made:
    """`work(as_of)` with `moment` (None: now) settled; reads by `sources.engine()`, and may be called twice.

    Raises what `settle` and `work` raise.
    """
    as_of = settle(db.engine, moment)
    watched = replica.watch()
    if watched is not None and watched.look().is_good and watched.comes_up(PATIENCE):
        try:
            with reading(Source.REPLICA):
                return work(as_of)
        except (psycopg.OperationalError, DBAPIError) as error:
            if not replica.is_away(error):
                raise
            # It was stopped, or had to go on replaying what it kept back for us.
            log.warning("export goes on at the primary", error=type(error).__name__)
            db.session.remove()
    return work(as_of)
