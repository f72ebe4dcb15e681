"""A streaming replica of a server of ours, made as on any machine: a base copy, then the primary's log."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg

from storefront.database_files import Home, find_binaries
from storefront.embedded import OWNER, SUPERUSER, WEB, EmbeddedError, Server
from storefront.processes import kill_session, spawn
from tests.drills.running_shop import descendants, kill


class Replica(Server):
    """A replica of `primary`, which runs; its files lie in `var_dir`. `behind`: seconds it waits with each commit."""

    def __init__(self, primary: Server, var_dir: Path, *, behind: float = 0) -> None:
        super().__init__(var_dir, durable=False)
        self.primary = primary
        self.behind = behind

    def start(self) -> None:
        """Copy the primary on first use, then follow it; returns when it answers."""
        self.var_dir.mkdir(parents=True, exist_ok=True)
        for role in (SUPERUSER, OWNER, WEB):
            shutil.copy(self.primary.var_dir / f"{role.replace('_', '-')}-password", self.var_dir)
        super().start()

    def caught_up(self, seconds: float = 30) -> None:
        """Wait until it has replayed all that the primary has written by now."""
        with psycopg.connect(self.primary.addresses(SUPERUSER)[SUPERUSER], autocommit=True) as there:
            (written,) = there.execute("SELECT pg_current_wal_flush_lsn()").fetchone() or ("",)
        deadline = time.monotonic() + seconds
        with psycopg.connect(self.addresses(SUPERUSER)[SUPERUSER], autocommit=True) as here:
            while here.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [written]).fetchone() != (True,):
                assert time.monotonic() < deadline, "the replica does not catch up"
                time.sleep(0.02)

    def wait_with_commits(self, seconds: float) -> None:
        """From now on it replays each commit so much later."""
        with psycopg.connect(self.addresses(SUPERUSER)[SUPERUSER], autocommit=True) as here:
            here.execute(f"ALTER SYSTEM SET recovery_min_apply_delay = '{int(seconds * 1000)}ms'")
            here.execute("SELECT pg_reload_conf()")

    def kill(self) -> None:
        """It is gone at once, as by a power cut; `come_back` starts it again."""
        assert self.process is not None
        kill_session(self.process)
        self.process.wait(10)

    def freeze(self, *, thaw: bool = False) -> None:
        """Stop all its processes where they are; its connections stay open. `thaw`: let them go on."""
        assert self.process is not None
        for pid in descendants(self.process.pid):
            kill(pid, signal.SIGCONT if thaw else signal.SIGSTOP)

    def come_back(self) -> None:
        """Start it again on the same port."""
        self.restart()

    def _initialise(self, home: Home) -> None:
        if (home.data / "PG_VERSION").exists():
            return
        program = home.program("pg_basebackup")
        if not program.exists():
            raise EmbeddedError("This PostgreSQL came without pg_basebackup.")
        address = self.primary.addresses(SUPERUSER)[SUPERUSER]
        home.make_folder(home.data)
        copying = spawn(
            [program, "-d", address, "-D", home.data, "-R", "-X", "stream", "-c", "fast", "--no-sync"],
            identity=home.identity,
            death_signal=signal.SIGKILL,
            cwd="/",
            env=home.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said, _ = copying.communicate()
        if copying.returncode != 0:
            raise EmbeddedError(f"pg_basebackup failed:\n{said}")

    def _options(self) -> list[str]:
        waiting = ["-c", f"recovery_min_apply_delay={int(self.behind * 1000)}ms"] if self.behind else []
        return [*super()._options(), *waiting]

    def _prepare_roles(self) -> None:
        """They came with the copy."""


def copy_database(source: str, target: str) -> None:
    """Put what the database at the address `source` holds into the empty one at `target`; both as superuser."""
    programs = find_binaries()
    assert programs is not None
    dump = subprocess.run([programs / "pg_dump", "--dbname", source], check=True, capture_output=True).stdout
    into = [programs / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "--dbname", target]
    subprocess.run(into, input=dump, check=True, stdout=subprocess.DEVNULL)
