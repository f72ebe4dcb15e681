"""The parent of web, worker and database: starts them in order, restarts what dies, stops all it started."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from config import DEMO_MARK, ConfigError, Settings
from storefront.embedded import OWNER, WEB, Server
from storefront.processes import spawn, stop
from storefront.run.child import Child, stop_all, trim
from storefront.schema import apply_grants, is_current
from storefront.shipping import load_places

PROJECT = Path(__file__).resolve().parents[2]
WEB_WORKERS = 2
#: Together below the five seconds in which all must be gone.
STOP_SECONDS = 2.5
DATABASE_STOP_SECONDS = 1.5
READY_SECONDS = 60
#: The web of a run that was just killed finishes its requests first.
PORT_SECONDS = 3


class Stopped(BaseException):
    """A signal asked us to stop; raised wherever the main thread is."""


class Parent:
    """One run of the shop on this machine."""

    def __init__(self, settings: Settings, host: str, port: int) -> None:
        self.settings = settings
        self.host, self.port = host, port
        self.var = settings.var_dir
        self.database: Server | None = None
        self.children: list[Child] = []
        self.step_process: subprocess.Popen[Any] | None = None
        self._lock: IO[str] | None = None
        self._addresses: dict[str, str | None] = {}

    def run(self) -> None:
        """Run until a signal comes. Raises `ConfigError` when the shop cannot start."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _raise_stopped)
        try:
            self._start()
            self._announce()
            while True:
                self._look_after()
                time.sleep(0.2)
        except Stopped:
            say("Stopping")
        finally:
            self._stop()

    def _start(self) -> None:
        require_free_port(self.host, self.port)
        self.var.mkdir(parents=True, exist_ok=True)
        self._lock = take_lock(self.var)
        (self.var / "log").mkdir(exist_ok=True)
        fresh_folder(self.var / "metrics")
        self._start_database()
        self._migrate()
        self._load_demo()
        self._start_children()

    def _start_database(self) -> None:
        given = self.settings
        if given.database_url:
            owner, direct = given.database_owner_url, given.database_direct_url
            self._addresses = {"owner": owner, "web": given.database_url, "direct": direct}
            return
        say("Starting the database")
        self.database = Server(self.var, say=say)
        self.database.start()
        found = self.database.addresses()
        self._addresses = {"owner": found[OWNER], "web": found[WEB], "direct": found[WEB]}

    def _environment(self, *, owner: bool) -> dict[str, str]:
        """What a child gets to know; the owner's address only where tables are changed or filled."""
        environment = dict(os.environ)
        environment.pop("DATABASE_OWNER_URL", None)
        environment |= {
            "VAR_DIR": str(self.var),
            "DEMO": "on" if self.settings.demo else "off",
            "HOST": self.host,
            "PORT": str(self.port),
            "DATABASE_URL": self._addresses["web"] or "",
            "DATABASE_DIRECT_URL": self._addresses["direct"] or "",
            "PROMETHEUS_MULTIPROC_DIR": str(self.var / "metrics"),
            "PYTHONUNBUFFERED": "1",
        }
        if owner:
            environment["DATABASE_OWNER_URL"] = self._addresses["owner"] or ""
        return environment

    def _step(self, title: str, *command: str) -> None:
        """Run one of our commands to its end; its words go to the terminal."""
        say(title)
        environment = self._environment(owner=True)
        # Short-lived commands would only add files to the folder of figures.
        del environment["PROMETHEUS_MULTIPROC_DIR"]
        self.step_process = spawn(
            flask_command(*command), env=environment, cwd=PROJECT, stdin=subprocess.DEVNULL
        )
        status = self.step_process.wait()
        self.step_process = None
        if status != 0:
            raise ConfigError(f"The command `flask {' '.join(command)}` failed; what it said stands above.")

    def _migrate(self) -> None:
        """Bring the database and its places to the newest revision; the web's rights are given anew in any case."""
        owner, web = self._addresses["owner"] or "", self._addresses["web"] or ""
        with psycopg.connect(owner, connect_timeout=10) as connection:
            if is_current(connection) and load_places.is_current(connection):
                apply_grants(connection, str(conninfo_to_dict(web).get("user") or connection.info.user))
                return
        self._step("Bringing the database to the newest revision", "migrate")

    def _load_demo(self) -> None:
        """Load demo data into an empty database; begin again when the last loading was cut off."""
        if not self.settings.demo:
            (self.var / DEMO_MARK).unlink(missing_ok=True)
            return
        (self.var / DEMO_MARK).touch()
        mark = self.var / "demo.loading"
        if mark.exists():
            self._step("Loading the demo data again: the last time was cut off", "demo", "--reset")
        elif is_empty(self._addresses["owner"] or ""):
            mark.touch()
            self._step("Loading demo data (once; a minute or two)", "demo")
        mark.unlink(missing_ok=True)

    def _start_children(self) -> None:
        environment, log = self._environment(owner=False), self.var / "log"
        self.children = [
            Child("web", granian_command(self.host, self.port), environment, log / "web.log"),
            Child("worker", flask_command("worker"), environment, log / "worker.log"),
        ]
        say("Starting web and worker")
        for child in self.children:
            child.start()
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        address = f"http://{reachable(self.host)}:{self.port}/readyz"
        deadline = time.monotonic() + READY_SECONDS
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while time.monotonic() < deadline:
            web = self.children[0]
            if web.ended():
                raise ConfigError(f"The web server ended at once. Its last words:\n{tail(web.log)}")
            try:
                opener.open(address, timeout=2).close()
                return
            except (OSError, urllib.error.URLError):
                time.sleep(0.1)
        raise ConfigError(f"The web server did not get ready. Its last words:\n{tail(self.children[0].log)}")

    def _look_after(self) -> None:
        """Restart what died; keep the logs small."""
        if self.database is not None and self.database.ended():
            self._restart_database(self.database)
        for child in self.children:
            if child.ended():
                wait = child.bury()
                say(f"{child.name} ended; starting it again in {wait:.1f} s (see {child.log})")
            elif child.due():
                child.start()
            trim(child.log)

    def _restart_database(self, database: Server) -> None:
        say("The database ended; starting it again")
        before = database.port
        database.restart()
        if database.port != before:  # somebody took the port: all must learn the new address
            found = database.addresses()
            self._addresses = {"owner": found[OWNER], "web": found[WEB], "direct": found[WEB]}
            stop_all(self.children, STOP_SECONDS)
            self._start_children()

    def _announce(self) -> None:
        from storefront.run.words import welcome

        sys.stdout.write(welcome(self.settings, f"http://{reachable(self.host)}:{self.port}", self.var))
        sys.stdout.flush()

    def _stop(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if self.step_process is not None:
            stop(self.step_process, signal.SIGTERM, 1.5)
        stop_all(self.children, STOP_SECONDS)
        if self.database is not None:
            self.database.stop(DATABASE_STOP_SECONDS)
        if self._lock is not None:
            self._lock.close()


def _raise_stopped(number: int, _: Any) -> None:
    raise Stopped(number)


def say(text: str) -> None:
    """One progress line on the terminal."""
    sys.stdout.write(f"· {text}\n")
    sys.stdout.flush()


def require_free_port(host: str, port: int) -> None:
    """Raise `ConfigError` when something listens on `port` already: granian would share it silently."""
    deadline = time.monotonic() + PORT_SECONDS
    while (trouble := _trouble_with_port(host, port)) is not None:
        if isinstance(trouble, PermissionError):
            raise ConfigError(f"Port {port} needs special rights. Choose one above 1023: PORT=8000 make run")
        if trouble.errno != errno.EADDRINUSE or time.monotonic() > deadline:
            other = port + 1 if port < 65535 else 8000
            raise ConfigError(
                f"Port {port} on {host} cannot be used: {trouble.strerror}. Is the shop running already?"
                f" Another port: PORT={other} make run"
            )
        time.sleep(0.1)


def _trouble_with_port(host: str, port: int) -> OSError | None:
    """Why `port` cannot be listened on, None when it can."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None


def take_lock(var: Path) -> IO[str]:
    """Hold `var` for this run; the kernel lets go of it when we end, however we end."""
    file = (var / "run.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        raise ConfigError(
            f"The shop already runs on {var} (process {holder}). Stop it first, or give this run a folder of"
            " its own: VAR_DIR=/some/folder PORT=8001 make run"
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def is_empty(owner_url: str) -> bool:
    """Whether the database holds no facility yet."""
    with psycopg.connect(owner_url, connect_timeout=10) as connection:
        row = connection.execute("SELECT NOT EXISTS (SELECT 1 FROM facilities)").fetchone()
    return bool(row and row[0])


def fresh_folder(path: Path) -> None:
    """An empty folder at `path`."""
    if path.exists():
        shutil.rmtree(path)
    path.mkdir(parents=True)


def flask_command(*arguments: str) -> list[str]:
    """The command line of one of our Flask commands."""
    return [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]


def granian_command(host: str, port: int) -> list[str]:
    """The web server's command line. Its defaults would allow hundreds of threads and wait for ever."""
    return [
        *[sys.executable, "-m", "granian", "--interface", "wsgi", "--factory"],
        *["--host", host, "--port", str(port), "--workers", str(WEB_WORKERS)],
        *["--blocking-threads", "8", "--backpressure", "64", "--workers-kill-timeout", "2"],
        *["--respawn-failed-workers", "--respawn-interval", "0.2", "--no-ws", "--log-level", "error"],
        "storefront.run.web:application",
    ]


def reachable(host: str) -> str:
    """`host` as a browser on this machine would write it."""
    if host in ("0.0.0.0", "::"):  # noqa: S104
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def tail(log: Path) -> str:
    """The last lines of `log`."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])
