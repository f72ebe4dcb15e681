"""Steps of the shop in processes that may die at a crash point.

Starting Python and the app takes a second, so one process does it once and forks a child for each step that
may die, and for each worker. The child opens its own connections, and ends by SIGKILL where the step's crash
point stands.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class End:
    """How a step ended: the signal that killed it, or its answer."""

    signal: int | None
    status: int = 0
    json: Any = None


class Doomed:
    """The parent of all steps, a process of its own with the environment `env`."""

    def __init__(self, env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.drills.doomed"],
            cwd=PROJECT,
            env={**os.environ, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def request(self, method: str, path: str, *, crash_at: str | None = None, **options: Any) -> End:
        """One HTTP request, handled by a process that may die at `crash_at`."""
        return self._step({"do": "request", "method": method, "path": path, "options": options}, crash_at)

    def jobs(self, *, crash_at: str | None = None) -> End:
        """A worker that runs what is due, and may die at `crash_at`."""
        return self._step({"do": "jobs"}, crash_at)

    def close(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def _step(self, step: dict[str, Any], crash_at: str | None) -> End:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({**step, "crash_at": crash_at}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the process that runs the steps has ended; what it said stands above")
        return End(**json.loads(line))


def main() -> None:
    """Read steps from standard input, one JSON object a line; answer each with how it ended."""
    from config import Settings
    from storefront import create_app

    app = create_app(Settings.from_env())
    app.config["PROPAGATE_EXCEPTIONS"] = False
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # log lines of the shop must not mix with the answers
    for line in sys.stdin:
        step = json.loads(line)
        lives_on = step["crash_at"] is None and step["do"] == "request"
        answer = _run(app, step) if lives_on else _run_in_child(app, step)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _run_in_child(app: Any, step: dict[str, Any]) -> dict[str, Any]:
    from storefront import crash_points
    from storefront.extensions import db

    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        crash_points.chosen = step["crash_at"]
        with app.app_context():
            db.engine.dispose(close=False)  # the parent's connections are not ours to use, nor to close
        os.write(writer, json.dumps(_run(app, step)).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    died = {"signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else -1}
    return json.loads(said) if said else died


def _run(app: Any, step: dict[str, Any]) -> dict[str, Any]:
    from storefront import worker

    if step["do"] == "jobs":
        worker.run(app, wait=False)
        return {"signal": None}
    options = step["options"]
    if "body" in options:
        options["data"] = options.pop("body").encode()
    answer = app.test_client().open(step["path"], method=step["method"], **options)
    return {"signal": None, "status": answer.status_code, "json": answer.get_json(silent=True)}


if __name__ == "__main__":
    main()
