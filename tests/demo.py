"""A shop with the demo's data for tests: loaded once in a run, then cloned.

The loading takes most of a minute, so it is begun in a process of its own while other tests run; whoever
needs it before it is ready waits, then copies.
"""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy.orm import Session

from storefront import create_app
from storefront.embedded import OWNER, SUPERUSER
from storefront.extensions import db
from storefront.processes import spawn
from tests.clones import TEMPLATE, Clone, TestServer, settings_for, worker_name

DEMO_TEMPLATE = "storefront_demo_template"
#: Held while the template is made, so that one worker makes it and the others wait.
LOCK = 7_304_112_050


def demo_template(server: TestServer) -> str:
    """The name of a database with the whole demo in it, made on first asking in this run."""
    with psycopg.connect(server.server.addresses("postgres")[SUPERUSER], autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DEMO_TEMPLATE]).fetchone()
        if known is None:
            draft = f"{DEMO_TEMPLATE}_draft"
            server.create(draft, TEMPLATE)
            _load(server, draft)
            connection.execute(f"ALTER DATABASE {draft} RENAME TO {DEMO_TEMPLATE}")
    return DEMO_TEMPLATE


def begin(server: TestServer) -> subprocess.Popen[bytes]:
    """Begin to make the template beside the tests; it ends with the process that called this."""
    command = [sys.executable, "-m", "tests.demo", str(server.var_dir), str(server.server.port)]
    return spawn(command, death_signal=signal.SIGKILL, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _load(server: TestServer, database: str) -> None:
    from storefront.demo.load import load  # few runs need it

    settings = settings_for(server.server.addresses(database), server.var_dir)
    app = create_app(dataclasses.replace(settings, database_url=settings.database_owner_url))
    with app.app_context():
        load()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def demo_clone(database_server: TestServer) -> Iterator[Clone]:
    """This worker's own copy of the demo, as long as the worker lives."""
    clone = database_server.clone(f"storefront_demo_{worker_name()}", demo_template(database_server))
    yield clone
    clone.close()


@pytest.fixture(scope="session")
def demo_shared_app(demo_clone: Clone, database_server: TestServer) -> Flask:
    app = create_app(settings_for(demo_clone.addresses, database_server.var_dir))
    app.config["TESTING"] = True
    return app


@pytest.fixture
def demo_app(demo_shared_app: Flask, demo_clone: Clone) -> Iterator[Flask]:
    """The app on a shop full of demo data; what a test changes is put back after it."""
    yield demo_shared_app
    demo_clone.clean()


@pytest.fixture
def demo_session(demo_app: Flask) -> Iterator[Session]:
    """`db.session` on the demo's data."""
    with demo_app.app_context():
        yield db.session()
        db.session.rollback()


@pytest.fixture
def demo_owner(demo_clone: Clone) -> Iterator[psycopg.Connection]:
    """A connection as the owner of the demo's tables; rolled back."""
    with psycopg.connect(demo_clone.addresses[OWNER]) as connection:
        yield connection
        connection.rollback()


if __name__ == "__main__":
    demo_template(TestServer(Path(sys.argv[1]), int(sys.argv[2])))
