"""The moment an export speaks of, and the snapshot it reads.

A sale is booked with the time its transaction began, and seen by others when it commits. Between the two a
reader of "all sales up to now" would miss it and find it later. So an export first waits until every
transaction that began before its moment has ended: then what it reads can never change again.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any, cast

import psycopg
from flask_babel import lazy_gettext as _
from sqlalchemy import Engine

from storefront.days import ACCOUNTING_ZONE
from storefront.errors import DomainError
from storefront.snapshot import READER, driver_connection

#: Longest wait for unfinished transactions, in seconds.
PATIENCE = 10.0
#: Between a transaction's start and the moment others can see that it runs; generous, in seconds.
UNSEEN = 0.2

#: In a query string a "+" arrives as a space.
LOST_PLUS = re.compile(r" (?=\d\d:?\d\d$)")

#: Transactions that may still commit a sale or a new name of before the moment: our own role's by their start; of other
#: roles, whose start is hidden from us, those that hold a writer's lock on the journal or on the former names.
UNFINISHED = """
SELECT DISTINCT l.pid, l.virtualtransaction
  FROM pg_locks l
  JOIN pg_stat_activity a USING (pid)
 WHERE a.datname = current_database() AND l.pid <> pg_backend_pid()
   AND a.application_name <> %(reader)s
   AND CASE WHEN a.xact_start IS NOT NULL THEN a.xact_start <= %(moment)s
            ELSE l.mode = 'RowExclusiveLock'
             AND l.relation IN ('journal_entries'::regclass, 'former_names'::regclass) END
"""


class BadMoment(DomainError):
    """The as-of time cannot be understood, or lies ahead."""

    code, status = "bad_as_of", 422
    message = _("Waktu data tidak dikenali. Tulis seperti 2026-11-30T17:00:00Z.")


class StillWriting(DomainError):
    """Transactions from before the moment did not end in time."""

    code, status = "still_writing", 503
    message = _(
        "Masih ada transaksi dari sebelum waktu data yang belum selesai, jadi angkanya belum pasti. "
        "Tunggu sebentar lalu ulangi, atau pilih waktu data yang lebih awal."
    )


def parse_moment(text: str) -> datetime:
    """The UTC moment written in `text` as RFC 3339; without a zone it is read in Asia/Jakarta.

    Raises `BadMoment`.
    """
    text = text.strip()
    if "T" in text:
        text = LOST_PLUS.sub("+", text)
    try:
        if ":" not in text:
            raise ValueError("a day is not a moment")
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=ACCOUNTING_ZONE)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadMoment() from None


def rfc3339(moment: datetime) -> str:
    """`moment` in UTC to the microsecond, as `2026-11-30T17:00:00.000000Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def settle(engine: Engine, moment: datetime | None = None, *, patience: float = PATIENCE) -> datetime:
    """Return `moment` (default: now, by the database's clock) once all before it has been written.

    The caller must hold no open transaction on `engine`, or it waits for itself. Waits at most `patience`
    seconds. Raises `BadMoment` for a moment that lies ahead, `StillWriting` when the wait was in vain.
    """
    deadline = time.monotonic() + patience
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        driver = driver_connection(connection)
        now = _database_time(driver)
        if moment is not None and moment > now:
            raise BadMoment(_("Waktu data belum tiba. Pilih waktu yang sudah lewat."))
        moment = moment or now
        time.sleep(max(0.0, UNSEEN - (now - moment).total_seconds()))
        waiting = _unfinished(driver, moment)
        while waiting:
            if time.monotonic() >= deadline:
                raise StillWriting()
            time.sleep(0.02)
            # A writer that came later books later: only the first ones count.
            waiting &= _unfinished(driver, moment)
    return moment


def _database_time(driver: psycopg.Connection[Any]) -> datetime:
    [(now,)] = driver.execute("SELECT clock_timestamp()").fetchall()
    return cast(datetime, now).astimezone(UTC)


def _unfinished(driver: psycopg.Connection[Any], moment: datetime) -> set[Any]:
    return set(driver.execute(UNFINISHED, {"moment": moment, "reader": READER}).fetchall())
