"""The database of our own starts wherever the shop is put, and survives whatever ended the last run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from storefront import database_files
from storefront.embedded import OWNER, WEB, EmbeddedError, Server, running

#: Far beyond what a Unix socket's path may be, with what else people put in names.
LONG_NAME = "folder with spaces, it's long " + "x" * 120


@pytest.fixture(scope="module")
def var_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One set of files for all tests here: making them takes most of a second."""
    folder = tmp_path_factory.mktemp("embedded") / LONG_NAME / "var"
    server = Server(folder, durable=False)
    server.start()
    server.stop()
    return folder


@pytest.fixture
def server(var_dir: Path) -> Iterator[Server]:
    server = Server(var_dir, durable=False)
    yield server
    server.stop()


def ask(server: Server, role: str, query: str) -> object:
    with psycopg.connect(server.addresses()[role], autocommit=True) as connection:
        cursor = connection.execute(query)  # type: ignore[call-overload]
        row = cursor.fetchone() if cursor.description else None
        return row and row[0]


def gone(pid: int) -> bool:
    """Whether process `pid` ends by itself soon: a busy machine is given half a minute."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
        if not state.strip() or state.startswith("Z"):
            return True
        time.sleep(0.05)
    return False


def test_starts_in_a_folder_with_a_long_name_and_tells_its_address(server: Server) -> None:
    server.start()
    address = (server.var_dir / "database.url").read_text().strip()
    with psycopg.connect(address) as connection:
        assert connection.info.user == WEB
    assert running(server.var_dir) == server.addresses()
    server.stop()
    assert not (server.var_dir / "database.url").exists()
    assert running(server.var_dir) is None


def test_web_role_owns_nothing_and_secrets_are_private(server: Server) -> None:
    server.start()
    assert (
        ask(server, WEB, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'storefront'")
        == OWNER
    )
    superusers = "SELECT count(*) FROM pg_roles WHERE rolsuper AND rolname LIKE 'storefront%'"
    assert ask(server, WEB, superusers) == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(server, WEB, "CREATE TABLE public.of_the_web (id int)")
    for path in (*server.var_dir.glob("*-password"), server.var_dir / "database.url"):
        assert path.stat().st_mode & 0o077 == 0


def test_second_start_on_the_same_files_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.start()
    monkeypatch.setattr("storefront.embedded.LOCK_SECONDS", 0.1)
    with pytest.raises(EmbeddedError, match="VAR_DIR"):
        Server(server.var_dir).start()
    assert ask(server, WEB, "SELECT 1") == 1


def test_data_survive_sigkill_of_the_server(server: Server) -> None:
    server.start()
    ask(server, OWNER, "CREATE TABLE kept AS SELECT 1 AS id")
    assert server.process is not None
    server.process.kill()
    server.process.wait()
    server.restart()
    assert ask(server, OWNER, "SELECT count(*) FROM kept") == 1
    ask(server, OWNER, "DROP TABLE kept")


def test_server_ends_when_its_parent_is_killed(var_dir: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from storefront.embedded import Server\n"
        "server = Server(Path(sys.argv[1]), durable=False); server.start()\n"
        "print(server.process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(var_dir)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    assert gone(pid)
    # The stale address and lock of the killed run are no obstacle.
    server = Server(var_dir, durable=False)
    server.start()
    server.stop()


def test_stale_pid_of_another_program_is_left_alone(server: Server) -> None:
    other = subprocess.Popen(["sleep", "60"])
    try:
        stale = f"{other.pid}\n{server.var_dir / 'pg'}\n1\n5432\n\n127.0.0.1\n  1 1\nready   \n"
        (server.var_dir / "pg" / "postmaster.pid").write_text(stale)
        server.start()
        assert ask(server, WEB, "SELECT 1") == 1
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_server_that_runs_without_its_parent_is_stopped_first(server: Server) -> None:
    server.start()
    orphan = server.process
    assert orphan is not None
    server.process = None  # as if we had been killed where the kernel does not tell children
    server.stop()
    assert orphan.poll() is None
    server.start()
    assert orphan.wait(30) is not None
    assert ask(server, WEB, "SELECT 1") == 1


def test_files_half_made_by_a_killed_start_are_made_anew(tmp_path: Path) -> None:
    draft = tmp_path / "pg.new"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    server = Server(tmp_path, durable=False)
    server.start()
    assert ask(server, WEB, "SELECT 1") == 1
    server.stop()


def test_files_of_another_version_are_named(server: Server) -> None:
    mark = server.var_dir / "pg" / "PG_VERSION"
    before = mark.read_text()
    mark.write_text("14\n")
    try:
        with pytest.raises(Exception, match="PostgreSQL 14"):
            server.start()
    finally:
        mark.write_text(before)


if os.geteuid() == 0:  # nobody else needs, or has, this way

    def test_root_without_user_namespaces_runs_it_as_nobody(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usable = database_files._can_use

        def no_namespaces(home: database_files.Home) -> bool:
            return not home.identity.namespace and usable(home)

        monkeypatch.setattr(database_files, "_can_use", no_namespaces)
        said: list[str] = []
        try:
            for _ in range(2):
                server = Server(tmp_path / "var", durable=False, say=said.append)
                server.start()
                assert server.process is not None
                assert "Uid:\t65534" in Path(f"/proc/{server.process.pid}/status").read_text()
                assert ask(server, WEB, "SELECT 1") == 1
                pid = server.process.pid
                server.stop()
                assert gone(pid)
        finally:
            elsewhere = (tmp_path / "var" / "pg.elsewhere").read_text().strip()
            shutil.rmtree(elsewhere)
        assert any(elsewhere in line for line in said)
