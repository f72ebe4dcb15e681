"""What may go wrong with a call: it is slow, fails, or its answer is lost after it was done."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from dataclasses import dataclass
from typing import Any

from flask import Request

from tests.stripe_fake.account import Refused


@dataclass
class Fault:
    """One thing that goes wrong, `times` times, in calls whose path holds `path`."""

    #: `slow`, `fail`, `drop_before` or `drop_after`.
    kind: str
    path: str = ""
    method: str = ""
    times: int = 1
    seconds: float = 0
    status: int = 500

    def meets(self, request: Request) -> bool:
        """Whether it is this call's turn."""
        return self.times > 0 and self.path in request.path and self.method in ("", request.method)


class Faults:
    """All that is to go wrong."""

    def __init__(self) -> None:
        self.planned: list[Fault] = []
        self.lock = threading.Lock()

    def plan(self, faults: list[dict[str, Any]]) -> None:
        """Let these happen to the next calls that they meet; an empty list ends them all."""
        with self.lock:
            self.planned = [Fault(**fault) for fault in faults]

    def next(self, request: Request) -> Fault | None:
        """The fault that this call meets, used up by it."""
        with self.lock:
            found = next((fault for fault in self.planned if fault.meets(request)), None)
            if found is not None:
                found.times -= 1
            return found


def before(fault: Fault | None, request: Request) -> None:
    """What goes wrong before a call does anything. Raises Refused."""
    if fault is None:
        return
    if fault.kind == "slow":
        time.sleep(fault.seconds)
    if fault.kind == "fail":
        kind = "rate_limit_error" if fault.status == 429 else "api_error"
        raise Refused("An unknown error occurred", status=fault.status, kind=kind)
    if fault.kind == "drop_before":
        hang_up(request)
        raise Refused("nobody reads this")


def hang_up(request: Request) -> None:
    """Close the connection; whatever is answered reaches nobody."""
    connection = request.environ.get("werkzeug.socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
