"""Jobs run in a transaction's wake, each with a session of its own, and none is lost with a killed worker."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront import worker
from storefront.extensions import db, defer, jobs

RAN: list[Any] = []


@pytest.fixture(autouse=True)
def no_runs() -> Iterator[None]:
    RAN.clear()
    yield
    RAN.clear()


@jobs.task(name="tests.note")
def note(value: str) -> None:
    RAN.append((value, db.session.execute(text("SELECT 1")).scalar()))


@jobs.task(name="tests.forgets_commit")
def forgets_commit() -> None:
    from storefront.people.models import Person

    db.session.add(Person(email="lost@example.com", name="x", password_hash="x"))


def states(connection: psycopg.Connection) -> list[tuple[str, str]]:
    rows = connection.execute("SELECT task_name, status::text FROM procrastinate_jobs ORDER BY id").fetchall()
    connection.rollback()
    return [(str(name), str(status)) for name, status in rows if str(name).startswith("tests.")]


def test_job_of_a_committed_transaction_runs_once(
    db_session: Session, run_jobs: Callable[[], None], owner_connection: psycopg.Connection
) -> None:
    defer("tests.note", value="a")
    run_jobs()
    assert RAN == []
    db_session.commit()
    run_jobs()
    run_jobs()
    assert RAN == [("a", 1)]
    assert states(owner_connection) == [("tests.note", "succeeded")]


def test_job_of_a_rolled_back_transaction_never_runs(
    db_session: Session, run_jobs: Callable[[], None]
) -> None:
    defer("tests.note", value="a")
    db_session.rollback()
    run_jobs()
    assert RAN == []


def test_duplicate_under_a_queueing_lock_leaves_the_transaction_usable(
    db_session: Session, run_jobs: Callable[[], None]
) -> None:
    assert defer("tests.note", value="a", queueing_lock="one") is not None
    assert defer("tests.note", value="b", queueing_lock="one") is None
    defer("tests.note", value="c")
    db_session.commit()
    run_jobs()
    assert sorted(value for value, _ in RAN) == ["a", "c"]


def test_task_that_forgets_to_commit_fails_loudly(
    db_session: Session, run_jobs: Callable[[], None], owner_connection: psycopg.Connection
) -> None:
    defer("tests.forgets_commit")
    db_session.commit()
    run_jobs()
    assert states(owner_connection) == [("tests.forgets_commit", "failed")]


@pytest.mark.parametrize("twin", [False, True])
def test_job_of_a_killed_worker_is_given_back(
    app: Flask,
    db_session: Session,
    run_jobs: Callable[[], None],
    owner_connection: psycopg.Connection,
    twin: bool,
) -> None:
    defer("tests.note", value="a", queueing_lock="same")
    db_session.commit()
    # What SIGKILL leaves: the job is being done by a worker whose heart stopped beating.
    owner_connection.execute(
        "WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')"
        " RETURNING id) UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM dead)"
        " WHERE task_name = 'tests.note'"
    )
    owner_connection.commit()
    if twin:
        later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
        defer("tests.note", value="b", queueing_lock="same", schedule_at=later)
    defer("jobs.retry_stalled", timestamp=0)
    db_session.commit()
    run_jobs()
    run_jobs()  # the first may end before it sees what it has given back
    assert [value for value, _ in RAN] == ([] if twin else ["a"])
    # With the same job waiting already, the lost one has nothing left to do.
    found = [state for _, state in states(owner_connection)]
    assert found == (["failed", "todo"] if twin else ["succeeded"])
    assert worker.STALLED_SECONDS > 2 * worker.HEARTBEAT_SECONDS
