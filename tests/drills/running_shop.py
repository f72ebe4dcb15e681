"""The whole shop as `make run` starts it, in a folder and on a port of its own, for drills and measurements."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import urllib3

from storefront.embedded import OWNER, WEB, Server, running

PROJECT = Path(__file__).resolve().parents[2]
START_SECONDS = 300.0
#: After SIGTERM everything must be gone within this (CONTRACT.md).
STOP_SECONDS = 5.0
TICKS = os.sysconf("SC_CLK_TCK")


class NotRunning(Exception):
    """The shop did not start or has ended; the text holds what it said last."""


@dataclass
class Shop:
    """One running shop. `var_dir` keeps its data over restarts."""

    var_dir: Path
    port: int = 0
    env: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[Any] | None = None

    def __post_init__(self) -> None:
        self.port = self.port or free_port()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """What the shop and its commands are told."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")}
        ours = {"VAR_DIR": str(self.var_dir), "PORT": str(self.port), "DEMO": "on", "RATE_LIMITS": "off"}
        return {**clean, **ours, **self.env}

    def start(self) -> float:
        """Start and wait until it answers; returns the seconds that took. Raises `NotRunning`."""
        begun = time.monotonic()
        self.var_dir.mkdir(parents=True, exist_ok=True)
        with (self.var_dir / "run.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "storefront.run", "--demo"],
                cwd=PROJECT,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        while time.monotonic() - begun < START_SECONDS:
            if self.process.poll() is not None:
                raise NotRunning((self.var_dir / "run.log").read_text()[-2000:])
            if self.answers():
                return time.monotonic() - begun
            time.sleep(0.1)
        self.stop()
        raise NotRunning(f"no answer within {START_SECONDS:.0f} s")

    def answers(self) -> bool:
        """Whether `/readyz` says that the shop is ready."""
        with suppress(urllib3.exceptions.HTTPError):
            answer = urllib3.request("GET", f"{self.address}/readyz", timeout=2, retries=False)
            return answer.status == 200
        return False

    def stop(self) -> float:
        """SIGTERM to the parent; returns the seconds until it and all it started were gone."""
        if self.process is None:
            return 0.0
        begun, family = time.monotonic(), self.family()
        self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(4 * STOP_SECONDS)
        while any(is_alive(pid) for pid in family) and time.monotonic() - begun < 4 * STOP_SECONDS:
            time.sleep(0.02)
        took = time.monotonic() - begun
        for pid in family:
            kill(pid)
        self.process = None
        return took

    def family(self) -> list[int]:
        """The parent and all that descend from it."""
        return descendants(self.process.pid) if self.process else []

    def pids(self, role: str) -> list[int]:
        """Process ids of `parent`, `master` (of the web), `web` (its workers), `worker` or `database`."""
        if self.process is None:
            return []
        if role == "parent":
            return [self.process.pid]
        children = {pid: command_line(pid) for pid in children_of(self.process.pid)}
        marks = {"master": "-m granian", "worker": "--app wsgi worker", "database": "postgres -D"}
        if role in marks:
            return [pid for pid, line in children.items() if marks[role] in line]
        masters = self.pids("master")
        return [
            pid
            for master in masters
            for pid in children_of(master)
            if "resource_tracker" not in command_line(pid)
        ]

    def wait_for(self, role: str, gone: list[int], seconds: float = 30.0) -> list[int]:
        """Wait until others than `gone` play `role`; returns them. Raises `NotRunning`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = [pid for pid in self.pids(role) if pid not in gone and is_alive(pid)]
            if found:
                return found
            time.sleep(0.05)
        raise NotRunning(f"{role} did not come back within {seconds:.0f} s")

    def cpu_seconds(self) -> dict[str, float]:
        """Processor time used so far by each part of the shop: `web`, `worker`, `database`, `parent`."""
        used = {"parent": 0.0}
        for name, role in (("web", "master"), ("worker", "worker"), ("database", "database")):
            used[name] = sum(cpu_of(pid) for root in self.pids(role) for pid in descendants(root))
        return used

    def addresses(self) -> Mapping[str, str]:
        """libpq addresses of its database by role, as they were given. Raises `NotRunning`."""
        if "DATABASE_OWNER_URL" in self.env:
            return {OWNER: self.env["DATABASE_OWNER_URL"], WEB: self.env["DATABASE_URL"]}
        found = running(self.var_dir)
        if found is None:
            raise NotRunning("its database does not answer")
        return found

    @contextmanager
    def owner(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection as the owner of the tables, committing each statement."""
        with psycopg.connect(self.addresses()[OWNER], autocommit=True, connect_timeout=5) as connection:
            yield connection

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One of the shop's own commands, as `flask --app wsgi verify`."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
        return subprocess.run(command, cwd=PROJECT, env=self.environment(), capture_output=True, text=True)


def fill_small(var_dir: Path, *, pieces: int = 5000) -> None:
    """Put a small shop into the empty folder `var_dir`: two facilities, four things in plenty, and a rule.

    Seconds instead of the minute that the demo takes.
    """
    from tests.clones import settings_for

    server = Server(var_dir)
    server.start()
    try:
        _migrate_and_fill(settings_for(server.addresses(), var_dir), pieces)
    finally:
        server.stop()


def _migrate_and_fill(settings: Any, pieces: int) -> None:
    from storefront import create_app
    from storefront.extensions import db
    from storefront.schema import upgrade

    app = create_app(settings)
    with app.app_context():
        upgrade()
        stock_up(pieces)
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


def stock_up(pieces: int) -> None:
    """The goods of a small shop, in a database without any. The caller commits."""
    from tests.factories import make_facility, make_product, make_rule, make_variant, make_workshop

    make_rule()
    for code, city in (("DRA", "Pekalongan"), ("DRB", "Semarang")):
        product = make_product(make_workshop(make_facility(code, city=city)))
        for number in (1, 2):
            make_variant(product, sku=f"{code}-{number}", stock=pieces, price=50_000 + number)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def children_of(pid: int) -> list[int]:
    """Direct children of a process, of all its threads."""
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def descendants(pid: int) -> list[int]:
    """A process and all below it."""
    return [pid] + [each for child in children_of(pid) for each in descendants(child)]


def command_line(pid: int) -> str:
    """Its arguments, separated by spaces; empty when it has gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


def is_alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def cpu_of(pid: int) -> float:
    """Seconds of processor time that a process and its ended children have used."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(fields[index]) for index in (11, 12, 13, 14)) / TICKS
    return 0.0


def memory_of(pid: int) -> int:
    """Bytes of memory that a process holds; what it shares with others counts by its part."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    """Send a signal; a process that has gone already is fine."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
