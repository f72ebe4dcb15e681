"""What an administrator watches (`docs/deploy/watch.sql`) runs on today's tables and rises when it should."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

WATCH = (Path(__file__).resolve().parents[2] / "docs" / "deploy" / "watch.sql").read_text()


def alarms(connection: psycopg.Connection) -> set[str]:
    return {name for name, figure, above in connection.execute(WATCH.encode()).fetchall() if figure > above}


def test_nothing_rings_in_a_quiet_shop(owner_connection: psycopg.Connection) -> None:
    assert not alarms(owner_connection) - {"connections_used_percent"}


@pytest.mark.parametrize(
    ("name", "statements"),
    [
        (
            "job_waiting_seconds",
            (
                "INSERT INTO procrastinate_jobs (task_name, queue_name) VALUES ('t', 'q')",
                "UPDATE procrastinate_events SET at = now() - interval '10 minutes'",
            ),
        ),
        (
            "jobs_failed_today",
            (
                "INSERT INTO procrastinate_jobs (task_name, queue_name, status) VALUES ('t', 'q', 'doing')",
                "UPDATE procrastinate_jobs SET status = 'failed'",
            ),
        ),
        (
            "event_unhandled_seconds",
            (
                "INSERT INTO payment_events (gateway, event_id, type, body, received_at)"
                " VALUES ('stripe', 'e', 't', '', now() - interval '10 minutes')",
            ),
        ),
        (
            "events_for_a_person",
            (
                "INSERT INTO payment_events (gateway, event_id, type, body, needs_person)"
                " VALUES ('stripe', 'e', 't', '', true)",
            ),
        ),
    ],
)
def test_each_figure_rises_with_its_cause(
    owner_connection: psycopg.Connection, name: str, statements: tuple[str, ...]
) -> None:
    for statement in statements:
        owner_connection.execute(statement)
    assert name in alarms(owner_connection)


def test_a_job_for_later_does_not_ring(owner_connection: psycopg.Connection) -> None:
    owner_connection.execute(
        "INSERT INTO procrastinate_jobs (task_name, queue_name, scheduled_at) VALUES ('t', 'q', now() + interval '1 h')"
    )
    owner_connection.execute(
        "UPDATE procrastinate_events SET at = now() - interval '10 minutes' WHERE type = 'deferred'"
    )
    assert "job_waiting_seconds" not in alarms(owner_connection)
