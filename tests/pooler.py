"""A pooler in transaction mode, as PgBouncer is one: each transaction may get another connection of the server.

Ours for tests, where no PgBouncer is installed. It hands connections out in turn, so that two transactions of one
client hardly ever meet the same, and never resets one, so whatever a transaction left behind is there for others.
"""

from __future__ import annotations

import os
import queue
import select
import socket
import struct
import threading
from contextlib import suppress

import psycopg

SSL_REQUEST, GSS_REQUEST, CANCEL = 80877103, 80877104, 80877102
TOLD = ("server_version", "server_encoding", "client_encoding", "standard_conforming_strings", "TimeZone", "DateStyle")
#: Messages after which the server says whether it is in a transaction.
ENDS = b"QSF"


class Pooler:
    """Listens on `port` and speaks for `address`, whose role and database every client gets."""

    def __init__(self, address: str, size: int = 4) -> None:
        self._servers: queue.Queue[socket.socket] = queue.Queue()
        self._connections = [psycopg.connect(address, autocommit=True) for _ in range(size)]
        told = self._connections[0].pgconn
        self._told = {name: told.parameter_status(name.encode()) or b"" for name in TOLD}
        for connection in self._connections:
            self._servers.put(socket.socket(fileno=os.dup(connection.pgconn.socket)))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        #: Transactions passed on.
        self.transactions = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listen no more, and let go of the server."""
        self._listener.close()
        for connection in self._connections:
            connection.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError, EOFError, struct.error), client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._greet(client):
                while self._transaction(client):
                    self.transactions += 1

    def _greet(self, client: socket.socket) -> bool:
        while True:
            (length,) = struct.unpack("!I", _exactly(client, 4))
            body = _exactly(client, length - 4)
            (code,) = struct.unpack("!I", body[:4])
            if code == CANCEL:
                return False
            if code not in (SSL_REQUEST, GSS_REQUEST):
                break
            client.sendall(b"N")
        answer = _message(b"R", struct.pack("!I", 0))
        for name, value in self._told.items():
            answer += _message(b"S", name.encode() + b"\0" + value + b"\0")
        client.sendall(answer + _message(b"K", struct.pack("!II", 0, 0)) + _message(b"Z", b"I"))
        return True

    def _transaction(self, client: socket.socket) -> bool:
        """Pass one transaction on; False when the client has gone."""
        first = _exactly(client, 5)
        if first[:1] == b"X":
            return False
        server = self._servers.get()
        try:
            waits = self._pass(first, client, server)
            while True:
                ready, _, _ = select.select([client, server], [], [])
                if client in ready:
                    waits += self._pass(_exactly(client, 5), client, server)
                if server in ready:
                    head = _exactly(server, 5)
                    body = _exactly(server, struct.unpack("!I", head[1:])[0] - 4)
                    client.sendall(head + body)
                    if head[:1] == b"Z":
                        waits -= 1
                        if waits == 0 and body == b"I":
                            return True
        finally:
            self._servers.put(server)

    def _pass(self, head: bytes, client: socket.socket, server: socket.socket) -> int:
        """Send one message on; how many times the server will say for it that it is ready."""
        server.sendall(head + _exactly(client, struct.unpack("!I", head[1:])[0] - 4))
        return 1 if head[:1] in ENDS else 0


def _exactly(source: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = source.recv(size - len(found))
        if not more:
            raise EOFError
        found += more
    return found


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body
