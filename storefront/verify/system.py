"""How the machine is: jobs, backups, versions, disks, clocks; and a failed job tried again."""

from __future__ import annotations

import datetime
import platform
import shutil
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import current_app
from flask_babel import lazy_gettext as _
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import IntegrityError

from storefront.audit.record import record
from storefront.errors import DomainError, NotFound
from storefront.extensions import db
from storefront.keyset import FIRST, Order, Turn, fetch
from storefront.schema import newest_revision
from storefront.verify.models import Upkeep

PROJECT = Path(__file__).resolve().parents[2]
PAGE = 50
#: A worker that has said nothing for so long is gone (worker.STALLED_SECONDS, twice).
SILENT_SECONDS = 60
#: A backup each night, and some hours.
STALE = {"backup": 26, "base_backup": 8 * 24, "verify": 26}


class NotFailed(DomainError):
    """It was tried again meanwhile, or another one for the same thing waits."""

    code, status = "job_not_failed", 409
    message = _(
        "Tugas ini sudah dicoba lagi, atau tugas lain untuk hal yang sama sudah menunggu. Tidak ada yang diubah."
    )


@dataclass(frozen=True)
class Job:
    """A job that failed or is due. `about`: the ids in its arguments; texts in them are nobody's business here."""

    id: int
    task: str
    about: str
    attempts: int
    at: datetime.datetime | None


@dataclass(frozen=True)
class Jobs:
    """The queue: how many are due, run, wait for their time and have failed; since when the oldest due one waits."""

    due: int
    doing: int
    later: int
    failed: int
    oldest_seconds: int
    workers: int


@dataclass(frozen=True)
class Fact:
    """The last of a kind of upkeep; None: nobody has written any down."""

    kind: str
    last: Upkeep | None
    is_stale: bool


@dataclass(frozen=True)
class Disk:
    name: str
    total: int
    free: int

    @property
    def used_percent(self) -> int:
        return round(100 * (self.total - self.free) / self.total) if self.total else 0


@dataclass(frozen=True)
class Versions:
    shop: str
    python: str
    postgresql: str
    revision: str
    is_newest: bool


COUNTS = text(f"""
    SELECT count(*) FILTER (WHERE status = 'todo' AND due) AS due, count(*) FILTER (WHERE status = 'doing') AS doing,
           count(*) FILTER (WHERE status = 'todo' AND NOT due) AS later,
           count(*) FILTER (WHERE status = 'failed') AS failed,
           COALESCE(extract(epoch FROM now() - min(since) FILTER (WHERE status = 'todo' AND due))::int, 0) AS oldest,
           (SELECT count(*) FROM procrastinate_workers
             WHERE last_heartbeat > now() - interval '{SILENT_SECONDS} seconds') AS workers
      FROM (SELECT j.status, COALESCE(j.scheduled_at <= now(), true) AS due, GREATEST(e.at, j.scheduled_at) AS since
              FROM procrastinate_jobs j
              LEFT JOIN LATERAL (SELECT max(at) AS at FROM procrastinate_events e WHERE e.job_id = j.id
                                    AND j.status = 'todo' AND e.type IN ('deferred', 'deferred_for_retry', 'retried',
                                                                         'scheduled')) e ON true
             WHERE j.status IN ('todo', 'doing', 'failed')) j""")  # noqa: S608
LISTED = """
    SELECT j.id, j.task_name, j.args, j.attempts,
           (SELECT max(e.at) FROM procrastinate_events e WHERE e.job_id = j.id) AS at, {keys}
      FROM procrastinate_jobs j"""
#: Which jobs, and in which order.
LISTS = {
    "failed": ("j.status = 'failed'", Order((("j.id", "bigint"),))),
    "due": (
        "j.status = 'todo' AND COALESCE(j.scheduled_at <= now(), true)",
        Order((("j.id", "bigint"),), descending=False),
    ),
}


def jobs() -> Jobs:
    """The queue's figures."""
    row = db.session.execute(COUNTS).one()
    return Jobs(row.due, row.doing, row.later, row.failed, max(0, row.oldest), row.workers)


def failed_count() -> int:
    """How many jobs were given up."""
    statement = text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'")
    return int(db.session.execute(statement).scalar_one())


def listed(which: str, turn: Turn = FIRST) -> tuple[list[Job], str | None, str | None]:
    """`failed` ones, the latest first, or `due` ones, the oldest first; and the keys of the pages after and before."""
    selection, order = LISTS[which]
    rows, on, back = fetch(LISTED, selection, {}, order, turn, size=PAGE)
    jobs = [Job(row["id"], row["task_name"], _about(row["args"]), row["attempts"], row["at"]) for row in rows]
    return jobs, on, back


def retry(job_id: int, *, person_id: int) -> int:
    """Let a failed job run again, now; returns its id. Every task is safe to run twice. Never commits.

    Raises NotFound, and NotFailed when it is no longer failed: pressed twice it runs once.
    """
    query = text("SELECT task_name, status, attempts FROM procrastinate_jobs WHERE id = :id FOR UPDATE")
    job = db.session.execute(query, {"id": job_id}).one_or_none()
    if job is None:
        raise NotFound()
    if job.status != "failed":
        raise NotFailed()
    again = text("SELECT procrastinate_retry_job_v2(:id, now(), NULL, NULL, NULL)")
    try:
        with db.session.begin_nested():
            db.session.execute(again, {"id": job_id})
    except IntegrityError as error:
        raise NotFailed() from error
    details = {"task": job.task_name, "attempts": job.attempts}
    record("job.retried", "job", job_id, person_id=person_id, details=details)
    return job_id


def facts() -> list[Fact]:
    """The last backup, base backup and proof."""
    latest = select(Upkeep).ext(distinct_on(Upkeep.kind))
    in_order = latest.order_by(Upkeep.kind, Upkeep.ended_at.desc(), Upkeep.id.desc())
    found = {row.kind: row for row in db.session.scalars(in_order)}
    now = datetime.datetime.now(datetime.UTC)
    return [
        Fact(kind, row := found.get(kind), row is None or now - row.ended_at > datetime.timedelta(hours=hours))
        for kind, hours in STALE.items()
    ]


def note(kind: str, *, is_good: bool, said: str = "") -> None:
    """Write down that something was done. Never commits."""
    db.session.add(Upkeep(kind=kind, is_good=is_good, note=said[:300]))
    db.session.flush()


def last_comparisons() -> Sequence[Any]:
    """The last comparison with each provider that came to its end: gateway, state, finished_at, last_day."""
    return db.session.execute(
        text("""SELECT DISTINCT ON (gateway) gateway, state, finished_at, last_day FROM reconciliation_runs
                 WHERE finished_at IS NOT NULL ORDER BY gateway, finished_at DESC""")
    ).all()


def versions() -> Versions:
    """What runs here."""
    server = db.session.execute(text("SHOW server_version")).scalar_one()
    revision = db.session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    shop = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return Versions(shop, platform.python_version(), server, revision, revision == newest_revision())


def disks() -> list[Disk]:
    """The disks of working files and of media, where these lie on this machine; one line where they are the same."""
    settings = current_app.extensions["settings"]
    places = {"var": Path(settings.var_dir)}
    media = settings.media_url
    if media is None or "://" not in media:
        places["media"] = Path(media) if media else settings.var_dir / "media"
    found: dict[int, Disk] = {}
    for name, path in places.items():
        if path.exists():
            usage = shutil.disk_usage(path)
            found.setdefault(path.stat().st_dev, Disk(name, usage.total, usage.free))
    return list(found.values())


def database_bytes() -> int:
    """How large the database is."""
    return int(db.session.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


def clock_apart() -> float:
    """Seconds that the database's clock is ahead of ours (negative: behind), give or take half a round trip."""
    before = time.time()
    theirs = db.session.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
    return float(theirs) - (before + time.time()) / 2


def _about(args: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(args.items()) if isinstance(value, int))
