"""The addresses that machines watch."""

from __future__ import annotations

import psycopg
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session


def test_process_is_alive(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}


def test_ready_when_database_is_migrated(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "ok")


def test_not_ready_when_a_migration_is_missing(
    client: FlaskClient, owner_connection: psycopg.Connection
) -> None:
    owner_connection.execute("UPDATE alembic_version SET version_num = '0000'")
    owner_connection.commit()
    assert client.get("/readyz").status_code == 503


def test_next_test_finds_the_seed_again(client: FlaskClient, db_session: Session) -> None:
    assert db_session.execute(text("SELECT version_num FROM alembic_version")).scalar() != "0000"
    assert client.get("/readyz").status_code == 200


def test_figures_count_requests(client: FlaskClient) -> None:
    client.get("/healthz")
    figures = client.get("/metrics").text
    assert 'storefront_requests_total{endpoint="system.healthz",method="GET",status="200"}' in figures
