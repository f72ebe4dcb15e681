"""A small TCP proxy before the database, which can make it vanish or cut a connection during COMMIT."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress


class Proxy:
    """Forwards a free port of this machine to `target`."""

    def __init__(self, target: int) -> None:
        self.target = target
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self._gone = False
        #: COMMITs still to be cut; every other one before it reaches the database, the others after.
        self._to_cut = 0
        self.cut_before = self.cut_after = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def vanish(self) -> None:
        """Cut every connection and take no new one."""
        self._gone = True
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            self._close(pair)

    def come_back(self) -> None:
        self._gone = False

    def cut_commits(self, number: int) -> None:
        """Cut the connections on which the next `number` transactions commit."""
        self._to_cut = number

    @property
    def cuts_left(self) -> int:
        return self._to_cut

    def close(self) -> None:
        self.vanish()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._gone:
                    client.close()
                    continue
                try:
                    server = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    client.close()
                    continue
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                pair = (client, server)
                with self._lock:
                    self._pairs.add(pair)
                threading.Thread(target=self._pump, args=(client, server, pair, True), daemon=True).start()
                threading.Thread(target=self._pump, args=(server, client, pair, False), daemon=True).start()

    def _pump(
        self,
        source: socket.socket,
        sink: socket.socket,
        pair: tuple[socket.socket, socket.socket],
        asks: bool,
    ) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if asks and b"COMMIT" in data and self._cuts(sink, data):
                    break
                sink.sendall(data)
        self._close(pair)

    def _cuts(self, server: socket.socket, data: bytes) -> bool:
        """Whether this COMMIT's connection is cut; if so it has reached the database or not."""
        with self._lock:
            if self._to_cut <= 0:
                return False
            self._to_cut -= 1
            reaches = self._to_cut % 2 == 0
            self.cut_after += reaches
            self.cut_before += not reaches
        if reaches:
            server.sendall(data)
            time.sleep(0.05)
        return True

    def _close(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with self._lock:
            self._pairs.discard(pair)
        for end in pair:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
