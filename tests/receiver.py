"""Another system on loopback that is told things: it answers as it is told to, hangs, drips, or leads elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """Keeps what came; `answers` are the statuses still to give, then 200. 0: never answer; -1: drip; -2: hang up."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/hook?from=shop"
        self.answers: list[int] = []
        #: Paths, headers (lower case) and bodies, in the order in which they came.
        self.taken: list[tuple[str, dict[str, str], bytes]] = []
        self.over = threading.Event()


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A system that runs while the block does."""
    found: list[Receiver] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            one = found[0]
            body = self.rfile.read(int(self.headers["Content-Length"]))
            one.taken.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            status = one.answers.pop(0) if one.answers else 200
            if status == 0:
                one.over.wait(30)
            elif status == -1:
                while not one.over.wait(0.05):
                    try:
                        self.wfile.write(b"HTTP/1.0 200 OK\r\n"[:1])
                        self.wfile.flush()
                    except OSError:
                        return
            elif status != -2:
                self.send_response(status)
                self.send_header("Location", f"{one.url}&again=1")
                self.end_headers()

        def do_GET(self) -> None:
            found[0].taken.append((self.path, {}, b""))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.append(Receiver(server.server_port))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield found[0]
    finally:
        found[0].over.set()
        server.shutdown()
        server.server_close()
        thread.join()
