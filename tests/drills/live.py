"""A shop of a test that can be reached over HTTP: the sandbox provider delivers its events to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server


class Died(BaseException):
    """The process that did a step is gone, for drills that play all processes in one."""


class QuietHandler(WSGIRequestHandler):
    """Says nothing of each request; one whose process died is cut off without an answer."""

    def handle(self) -> None:
        with suppress(Died):
            super().handle()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


@contextmanager
def serve(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """An app made by `make_app`, served on a free port of this machine, which is its BASE_URL."""
    server = make_server("127.0.0.1", 0, Flask("not yet"), threaded=True, request_handler=QuietHandler)
    app = make_app(BASE_URL=f"http://127.0.0.1:{server.server_port}")
    server.app = app
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield app
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
