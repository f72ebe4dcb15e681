"""Fixtures for every test: a database of one's own, the app on it, a client.

`app` is made once for each worker; what a test writes is taken back after it (see `tests.clones`).
"""

from __future__ import annotations

import contextlib
import contextvars
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from storefront import create_app
from storefront.embedded import OWNER, WEB
from storefront.extensions import db
from storefront.processes import kill_session
from tests.clones import Clone, TestServer, forget_kept, settings_for, worker_name
from tests.demo import (  # noqa: F401 - fixtures
    begin,
    demo_app,
    demo_clone,
    demo_owner,
    demo_session,
    demo_shared_app,
)
from tests.places import places  # noqa: F401 - fixture

SERVER = pytest.StashKey[TestServer]()
LOADING = pytest.StashKey[subprocess.Popen[bytes]]()


def pytest_configure(config: pytest.Config) -> None:
    """With xdist the leader starts the server, so that it outlives each worker."""
    given: dict[str, Any] = getattr(config, "workerinput", {})
    if "database_port" in given:
        config.stash[SERVER] = TestServer(Path(given["database_var"]), given["database_port"])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker where the run's server is; start it before the first."""
    server = _server(node.config)
    node.workerinput["database_port"] = server.server.port
    node.workerinput["database_var"] = str(server.var_dir)


def pytest_unconfigure(config: pytest.Config) -> None:
    loading = config.stash.get(LOADING, None)
    if loading is not None:
        kill_session(loading)
    server = config.stash.get(SERVER, None)
    if server is not None and not hasattr(config, "workerinput"):
        server.stop()


def _server(config: pytest.Config) -> TestServer:
    if SERVER not in config.stash:
        config.stash[SERVER] = TestServer().start()
    return config.stash[SERVER]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests on demo data come last, and the first worker begins to load those data while the others run."""

    def on_demo(item: pytest.Item) -> bool:
        return bool({"demo_clone", "live_clone"} & set(getattr(item, "fixturenames", ())))

    items.sort(key=on_demo)
    begins = worker_name() in ("main", "gw0") and not config.option.collectonly
    if begins and any(map(on_demo, items)) and not on_demo(items[0]):
        config.stash[LOADING] = begin(_server(config))


@pytest.fixture(scope="session")
def database_server(pytestconfig: pytest.Config) -> TestServer:
    """The run's PostgreSQL; `clone()` gives further databases."""
    return _server(pytestconfig)


@pytest.fixture(scope="session")
def clone(database_server: TestServer) -> Iterator[Clone]:
    """This worker's database, as long as the worker lives."""
    clone = database_server.clone(f"storefront_{worker_name()}")
    yield clone
    clone.close()


@pytest.fixture
def database(clone: Clone) -> Iterator[Clone]:
    """This worker's database, put back to the migrations' own rows after the test."""
    Clone.in_use = clone
    yield clone
    Clone.in_use = None
    clone.clean()


@pytest.fixture
def database_url(database: Clone) -> str:
    """libpq address for the web's role."""
    return database.addresses[WEB]


@pytest.fixture
def owner_connection(database: Clone) -> Iterator[psycopg.Connection]:
    """A psycopg connection as the owner of the tables; what is not committed is rolled back."""
    with psycopg.connect(database.addresses[OWNER]) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def web_may_rate(database: Clone) -> Iterator[None]:
    """Ratings without reviews: only their trigger writes them otherwise."""
    with psycopg.connect(database.addresses[OWNER], autocommit=True) as connection:
        connection.execute(f"GRANT INSERT, UPDATE ON product_ratings TO {WEB}")
        yield
        connection.execute(f"REVOKE INSERT, UPDATE ON product_ratings FROM {WEB}")


class IsolatedClient(FlaskClient):
    """Each request runs outside the test's own app context, as in production: with its own session and `g`."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = contextvars.Context().run(super().open, *args, **kwargs)
        with contextlib.suppress(RuntimeError):  # a test may have no session of its own
            db.session.expire_all()
        return response


@pytest.fixture(scope="session")
def make_app(clone: Clone, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Flask]:
    """Makes an app on this worker's database; arguments are environment variables, as `DEMO="off"`."""
    var_dir = tmp_path_factory.mktemp("var")

    def make(**env: str) -> Flask:
        app = create_app(settings_for(clone.addresses, var_dir, **env))
        app.config["TESTING"] = True
        # The handler for unforeseen errors is part of what is tested.
        app.config["PROPAGATE_EXCEPTIONS"] = False
        app.test_client_class = IsolatedClient
        return app

    return make


@pytest.fixture(scope="session")
def shared_app(make_app: Callable[..., Flask]) -> Flask:
    """The app of this worker; tests take `app`."""
    return make_app()


@pytest.fixture
def app(shared_app: Flask, database: Clone) -> Flask:
    """The app on this worker's database, which is clean again after the test."""
    forget_kept(shared_app)
    return shared_app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without cookies yet."""
    return app.test_client()


@pytest.fixture
def db_session(app: Flask) -> Iterator[Session]:
    """`db.session` in an app context. What requests or other processes shall see must be committed."""
    with app.app_context():
        yield db.session()
        db.session.rollback()


@pytest.fixture
def run_jobs(app: Flask) -> Callable[[], None]:
    """Runs the jobs that are due now, with the real worker, and returns when none is left."""
    from storefront import worker

    due = text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND scheduled_at IS NULL")

    def waiting() -> int:
        with app.app_context(), db.engine.connect() as connection:
            return connection.execute(due).scalar_one()

    def run() -> None:
        # The worker stops when it finds nothing, although a job that still runs may queue another.
        for _ in range(5):
            # In a thread of its own: no app context of the test, and no event loop of a browser, is in the way.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(worker.run, app, wait=False).result()
            if not waiting():
                return

    return run


@pytest.fixture
def statements(app: Flask) -> Iterator[Callable[[], list[str]]]:
    """Call it for the SQL statements sent since the last call: a page's queries are counted in its test."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)

    def since() -> list[str]:
        found = seen.copy()
        seen.clear()
        return found

    yield since
    event.remove(engine, "before_cursor_execute", note)
