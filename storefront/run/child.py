"""A child process that is started again when it dies."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from storefront.processes import kill_session, spawn

#: A log file is cut to its newest half when it grows past this many bytes.
LOG_LIMIT = 20_000_000
#: Waiting time before a restart doubles from the first to the last of these, in seconds.
FIRST_WAIT, LAST_WAIT = 0.2, 10.0
#: Whoever lived this long, in seconds, counts as healthy again.
HEALTHY = 30.0


class Child:
    """One long-running program. Its output goes to `log`."""

    def __init__(self, name: str, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self.name = name
        self.command = command
        self.environment = environment
        self.log = log
        self.process: subprocess.Popen[Any] | None = None
        self._begun = 0.0
        self._wait = FIRST_WAIT
        self._due = 0.0

    def start(self) -> None:
        """Start the program; call from the main thread."""
        trim(self.log)
        with self.log.open("ab") as output:
            self.process = spawn(
                self.command,
                env=self.environment,
                cwd=Path(__file__).resolve().parents[2],
                # With us killed, the database goes too; an orderly end would wait for it in vain.
                death_signal=signal.SIGKILL,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._begun = time.monotonic()

    def ended(self) -> bool:
        """Whether it should run and does not."""
        return self.process is not None and self.process.poll() is not None

    def bury(self) -> float:
        """Clear away what a dead program left, and say in how many seconds it will be started again."""
        assert self.process is not None
        kill_session(self.process)
        self.process = None
        if time.monotonic() - self._begun > HEALTHY:
            self._wait = FIRST_WAIT
        wait, self._wait = self._wait, min(self._wait * 2, LAST_WAIT)
        self._due = time.monotonic() + wait
        return wait

    def due(self) -> bool:
        """Whether the time to start it again has come."""
        return self.process is None and time.monotonic() >= self._due


def stop_all(children: Sequence[Child], seconds: float) -> None:
    """Ask all to end at once (SIGTERM); after `seconds` kill whatever is left."""
    living = [child.process for child in children if child.process is not None]
    for process in living:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(process.poll() is None for process in living):
        time.sleep(0.05)
    for process in living:
        kill_session(process)


def trim(log: Path) -> None:
    """Keep the newest half of a log that has grown too long. Writers append, so they go on undisturbed."""
    if not log.exists() or log.stat().st_size <= LOG_LIMIT:
        return
    with log.open("rb+") as file:
        file.seek(-LOG_LIMIT // 2, os.SEEK_END)
        newest = file.read()
        file.seek(0)
        file.truncate()
        file.write(newest[newest.find(b"\n") + 1 :])
