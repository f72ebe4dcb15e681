"""The worker: background jobs from PostgreSQL, each in an app context with a session of its own.

There is no fencing: a worker that freezes and wakes again may finish a job that another one has taken over,
so every task is idempotent by the key of its business fact.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import structlog
from flask import Flask
from procrastinate import JobContext
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status
from procrastinate.middleware import SyncCallNext
from procrastinate.periodic import PeriodicRegistry

from storefront import import_rooms, metrics
from storefront.extensions import JobsConnector, db, jobs

log = structlog.get_logger("storefront.worker")

CONCURRENCY = 4
HEARTBEAT_SECONDS = 5
#: Well above the heartbeat, so that a busy worker is not taken for a dead one.
STALLED_SECONDS = 30
KEEP_FINISHED_HOURS = 7 * 24


def run(app: Flask, *, wait: bool = True) -> None:
    """Run jobs until SIGTERM or SIGINT; with `wait=False` only those that are queued and due, none by the clock."""
    import_rooms("tasks")
    address = app.extensions["settings"].database_direct_url

    def in_context(call_next: SyncCallNext, context: JobContext, _: Any) -> Any:
        return _run_task(app, call_next, context)

    connector = JobsConnector(conninfo=address, min_size=1, max_size=CONCURRENCY + 2)
    with jobs.replace_connector(connector), nullcontext() if wait else _without_clock():
        jobs.run_worker(
            name="storefront",
            concurrency=CONCURRENCY,
            wait=wait,
            listen_notify=wait,
            install_signal_handlers=wait,
            update_heartbeat_interval=HEARTBEAT_SECONDS,
            stalled_worker_timeout=STALLED_SECONDS * 2,
            task_middleware=[in_context],
        )


@contextmanager
def _without_clock() -> Iterator[None]:
    """What runs by the clock does not begin meanwhile: what happens then depends on nothing but the queue."""
    registry = jobs.periodic_registry
    jobs.periodic_registry = PeriodicRegistry()
    try:
        yield
    finally:
        jobs.periodic_registry = registry


def _run_task(app: Flask, call_next: SyncCallNext, context: JobContext) -> Any:
    """One task: its own app context and session, its name and number in every log line."""
    job = context.job
    with app.app_context(), structlog.contextvars.bound_contextvars(job=job.id, task=job.task_name):
        try:
            result = call_next()
            if db.session.new or db.session.dirty or db.session.deleted:
                # A forgotten commit would lose the work without a word.
                raise RuntimeError(f"{job.task_name} ended with uncommitted changes")
            metrics.JOBS.labels(job.task_name, "done").inc()
            return result
        except Exception as error:
            db.session.rollback()
            metrics.JOBS.labels(job.task_name, "failed").inc()
            log.error("job failed", error=type(error).__name__, attempts=job.attempts, exc_info=error)
            raise


@jobs.periodic(cron="* * * * * */15")
@jobs.task(name="jobs.retry_stalled", queueing_lock="jobs.retry_stalled")
async def retry_stalled(timestamp: int) -> None:
    """Give jobs of killed workers back: they would stay `doing` for ever, and all behind their lock wait."""
    manager = jobs.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
        assert job.id is not None
        try:
            await manager.retry_job(job)
            log.warning("stalled job retried", job=job.id, task=job.task_name)
        except UniqueViolation:
            # The same job waits already under its queueing lock: this one has nothing left to do.
            await manager.finish_job_by_id_async(job_id=job.id, status=Status.FAILED, delete_job=False)


@jobs.periodic(cron="17 3 * * *")
@jobs.task(name="jobs.remove_old", queueing_lock="jobs.remove_old")
async def remove_old(timestamp: int) -> None:
    """Forget jobs that succeeded a week ago; failed ones stay for a person to see."""
    await jobs.job_manager.delete_old_jobs(nb_hours=KEEP_FINISHED_HOURS)
