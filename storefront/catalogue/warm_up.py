"""What a web process reads as soon as it starts, so that no shopper waits for it: the listings, and in a large shop
the words that very many products hold."""

from __future__ import annotations

import threading
import time

import structlog
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from storefront import sources
from storefront.catalogue.index_keeper import current
from storefront.extensions import db
from storefront.sources import Source

log = structlog.get_logger("storefront.catalogue")

#: A word that so many products hold takes some 30 ms when it is first asked for.
MANY = 5_000
#: Words read ahead, the most frequent first.
MOST = 50

FREQUENT = text(
    "SELECT word FROM search_words WHERE frequency >= :many AND length(word) > 2 ORDER BY frequency DESC LIMIT :most"
)


def warm_up(app: Flask, many: int = MANY) -> int:
    """Read the listings and the words that at least `many` products hold. Returns how many words; never raises.

    From each server that pages are read from: what is kept of one says nothing of the other.
    """
    with app.app_context():
        places = [Source.PRIMARY, Source.REPLICA] if sources.has_replica() else [Source.PRIMARY]
        return sum(_warm_up(place, many) for place in places)


def _warm_up(source: Source, many: int) -> int:
    read = 0
    with sources.reading(source):
        try:
            current()
            words = db.session.scalars(FREQUENT, {"many": many, "most": MOST}).all()
            for word in words:
                db.session.rollback()  # no snapshot is held between two words
                begun = time.monotonic()
                index, known = current()
                known.hits([word], index)
                read += 1
                time.sleep(time.monotonic() - begun)  # shoppers come first
        except SQLAlchemyError as error:
            log.warning("warming up ended early", source=source.value, error=str(error)[:200])
        finally:
            db.session.remove()
    return read


def warm_up_beside(app: Flask) -> None:
    """The same beside the first requests."""
    threading.Thread(target=warm_up, args=(app,), name="warm-up", daemon=True).start()
