"""Many calls at the same moment."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

Answer = TypeVar("Answer")


def at_once(calls: list[Callable[[], Answer]]) -> list[Answer | Exception]:
    """Start all `calls` together, each in a thread and context of its own; what each gave or raised."""
    start = Barrier(len(calls))

    def run(call: Callable[[], Answer]) -> Answer | Exception:
        start.wait(timeout=30)
        try:
            return contextvars.Context().run(call)
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))
