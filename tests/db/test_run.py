"""The parent of web, worker and database: what it refuses, restarts and takes along when it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from storefront.embedded import OWNER, WEB
from tests.clones import TestServer, worker_name
from tests.drills.running_shop import PROJECT, Shop, is_alive
from tests.factories import make_facility


@pytest.fixture(scope="module")
def shop(
    database_server: TestServer, tmp_path_factory: pytest.TempPathFactory, make_app: object
) -> Iterator[Shop]:
    """A running shop on a database with one facility, so that the demo is not loaded."""
    from storefront import create_app
    from storefront.extensions import db
    from tests.clones import settings_for

    clone = database_server.clone(f"storefront_run_{worker_name()}")
    var_dir = tmp_path_factory.mktemp("run") / "a folder with spaces"
    app = create_app(settings_for(clone.addresses, tmp_path_factory.mktemp("app")))
    with app.app_context():
        make_facility()
        db.session.commit()
        db.engine.dispose()
    addresses = {"DATABASE_URL": clone.addresses[WEB], "DATABASE_OWNER_URL": clone.addresses[OWNER]}
    shop = Shop(var_dir, env=addresses)
    shop.start()
    yield shop
    shop.stop()
    clone.close()


def try_to_start(shop: Shop, **env: str) -> str:
    """What a second start says when it is refused."""
    refused = subprocess.run(
        [sys.executable, "-m", "storefront.run", "--demo"],
        cwd=PROJECT,
        env=shop.environment() | env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    return refused.stderr


def all_gone(pids: list[int], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(is_alive(pid) for pid in pids):
            return True
        time.sleep(0.02)
    return False


def test_port_in_use_is_named_with_another_to_try(shop: Shop) -> None:
    said = try_to_start(shop)
    assert f"Port {shop.port} " in said
    assert f"PORT={shop.port + 1} make run" in said


def test_second_run_on_the_same_folder_is_refused(shop: Shop) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    assert str(shop.var_dir) in try_to_start(shop, PORT=str(free))
    assert shop.answers()


@pytest.mark.parametrize("port", ["0", "70000", "eighty"])
def test_port_that_is_none_is_refused(shop: Shop, port: str) -> None:
    assert "PORT" in try_to_start(shop, PORT=port)


def test_unsafe_production_is_refused_before_anything_starts(shop: Shop) -> None:
    said = try_to_start(shop, DEMO="off")
    assert "SECRET_KEY" in said
    assert "sandbox" in said


@pytest.mark.parametrize("role", ["worker", "master"])
def test_what_is_killed_comes_back(shop: Shop, role: str) -> None:
    before = shop.pids(role)
    workers_before = shop.pids("web")
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    assert shop.wait_for(role, before)
    if role == "master":
        assert all_gone(workers_before, 30)
        deadline = time.monotonic() + 120
        while not shop.answers():
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_sigkill_of_the_parent_takes_all_along_and_the_next_start_is_clean(shop: Shop) -> None:
    family = shop.family()
    assert len(family) >= 5
    os.kill(shop.pids("parent")[0], signal.SIGKILL)
    assert all_gone(family[1:], 30)
    assert shop.process is not None
    shop.process.wait()
    shop.start()


def test_sigterm_ends_everything_within_five_seconds(shop: Shop) -> None:
    with socket.create_connection(("127.0.0.1", shop.port)) as connection:
        # A request that never ends must not hold the shop up.
        connection.sendall(b"POST /cart HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n")
        family = shop.family()
        assert shop.stop() < 5
    assert not any(is_alive(pid) for pid in family)


def test_stop_while_it_starts(shop: Shop) -> None:
    for seconds in (0.05, 0.6, 1.5):
        process = subprocess.Popen(
            [sys.executable, "-m", "storefront.run", "--demo"],
            cwd=PROJECT,
            env=shop.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(seconds)
        shop.process = process
        family = shop.family()
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) in (0, -signal.SIGTERM)
        assert all_gone(family, 5)
        shop.process = None
    assert not Path(shop.var_dir, "database.url").exists()
