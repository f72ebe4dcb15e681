"""Searches that found nothing, for curators: words and how often on a day, never by whom.

A request only counts in memory, also for a page that was kept; the process writes the counts down a few seconds
later. What looks like somebody's address, number or link is not kept at all.
"""

from __future__ import annotations

import atexit
import datetime
import re
import threading
from collections import Counter
from dataclasses import dataclass

import structlog
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from storefront.catalogue.filters import clean
from storefront.days import today
from storefront.extensions import db
from storefront.keyset import FIRST, Keyed, Order, Turn, fetch

log = structlog.get_logger("storefront.catalogue")

#: Seconds from a search to its row.
LATER = 3.0
#: Different words that a process counts between two writings, and that the shop keeps for a day.
MOST_AT_ONCE, MOST_A_DAY = 200, 2_000
#: How often one and the same search counts at most between two writings.
MOST_TIMES = 100
LONGEST, MOST_WORDS = 60, 6
#: Days that words are kept, and days that curators look back.
KEPT_DAYS, SHOWN_DAYS = 180, 90
#: E-mail, link, or a number of five digits and more however it is broken up: a phone, an order, an identity card.
PERSONAL = re.compile(r"@|://|www\.|\d(?:[\s.\-/]*\d){4}")

WRITE = text(
    """INSERT INTO lost_searches (day, words, times)
       SELECT :day, w.words, w.times FROM unnest(CAST(:words AS text[]), CAST(:times AS int[])) w (words, times)
        WHERE EXISTS (SELECT FROM lost_searches l WHERE l.day = :day AND l.words = w.words)
           OR (SELECT count(*) FROM lost_searches l WHERE l.day = :day) < :most
        ORDER BY w.words
           ON CONFLICT (words, day) DO UPDATE SET times = LEAST(lost_searches.times + excluded.times, 1000000)"""
)
LIST = """SELECT l.*, {keys} FROM (
       SELECT l.words, sum(l.times)::bigint AS times, max(l.day) AS last_day, count(*) AS days
         FROM lost_searches l
        WHERE l.day > :since AND NOT EXISTS (SELECT FROM lost_searches_done d WHERE d.words = l.words)
        GROUP BY l.words) l"""
MOST_FREQUENT = Order((("l.times", "bigint"), ("l.last_day", "date"), ("l.words", "text")))
COUNT = text(
    """SELECT count(DISTINCT l.words) FROM lost_searches l
        WHERE l.day > :since AND NOT EXISTS (SELECT FROM lost_searches_done d WHERE d.words = l.words)"""
)


@dataclass(frozen=True)
class LostWords:
    """Words without results, over the days that curators look back."""

    words: str
    times: int
    #: On how many days, and when last.
    days: int
    last_day: datetime.date


def keepable(typed: str) -> str | None:
    """What may be kept of a search: lower case, one line; None when it may hold something about a person."""
    words = clean(typed).lower()
    if PERSONAL.search(words) or not 2 <= len(words) <= LONGEST or len(words.split()) > MOST_WORDS:
        return None
    return words if re.search(r"[^\W\d_]", words) else None


class Tally:
    """Counts the lost searches of one process until they are written down; safe for threads."""

    def __init__(self, app: Flask, *, by_clock: bool = True) -> None:
        self._app = app
        #: Whether counts are written by themselves; else when `write` is called.
        self._by_clock = by_clock
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._timer: threading.Timer | None = None

    def note(self, words: str) -> None:
        """Count one search for words that `keepable` let through."""
        with self._lock:
            if words not in self._counts and len(self._counts) >= MOST_AT_ONCE:
                return
            self._counts[words] = min(self._counts[words] + 1, MOST_TIMES)
            if self._timer is None and self._by_clock:
                self._timer = threading.Timer(LATER, self.write)
                self._timer.daemon = True
                self._timer.start()
                atexit.unregister(self.write)
                atexit.register(self.write)

    def write(self) -> None:
        """Write down what was counted since the last time. Counts are lost when the database is away."""
        with self._lock:
            counts, self._counts, self._timer = self._counts, Counter(), None
        if not counts:
            return
        try:
            with self._app.app_context():
                write(counts)
                db.session.commit()
        except SQLAlchemyError as error:
            log.warning("lost searches not written", error=type(error).__name__)


def write(counts: Counter[str], day: datetime.date | None = None) -> None:
    """Add counts to the day's. Never commits."""
    values = {
        "day": day or today(),
        "words": list(counts),
        "times": list(counts.values()),
        "most": MOST_A_DAY,
    }
    db.session.execute(WRITE, values)


def tally(app: Flask) -> Tally:
    """The counts of this process."""
    found: Tally = app.extensions.setdefault("lost_searches", Tally(app, by_clock=not app.testing))
    return found


def lost_words(size: int, turn: Turn = FIRST) -> Keyed[LostWords]:
    """A page of the words that wait for a curator, the most frequent first."""
    since = today() - datetime.timedelta(days=SHOWN_DAYS)
    rows, older, newer = fetch(LIST, "true", {"since": since}, MOST_FREQUENT, turn, size=size)
    found = [LostWords(row["words"], row["times"], row["days"], row["last_day"]) for row in rows]
    return Keyed(found, waiting(), 0, older, newer)


def waiting() -> int:
    """How many different words wait for a curator."""
    since = today() - datetime.timedelta(days=SHOWN_DAYS)
    return db.session.execute(COUNT, {"since": since}).scalar_one()


def set_aside(words: str, person_id: int) -> None:
    """Nothing more is to be done about these words: they are not shown again. Never commits."""
    db.session.execute(
        text(
            """INSERT INTO lost_searches_done (words, done_by) SELECT :words, :person
                WHERE EXISTS (SELECT FROM lost_searches WHERE words = :words) ON CONFLICT DO NOTHING"""
        ),
        {"words": words, "person": person_id},
    )


def forget_old() -> int:
    """Remove what is older than it is kept; returns how many rows. Never commits."""
    before = today() - datetime.timedelta(days=KEPT_DAYS)
    return db.session.execute(text("DELETE FROM lost_searches WHERE day < :day"), {"day": before}).rowcount  # type: ignore[attr-defined]
