"""One POST to another system: its name resolved and every address checked, then connected to the one that was checked.

Whoever may add an endpoint must not be able to reach into our own network through us (SSRF), also not by a name that
answers with another address the second time (DNS rebinding). So the connection goes to the checked address itself, the
certificate is checked for the name, no redirect is followed and no proxy of the environment is asked.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

#: Seconds for all of it.
TIMEOUT = 10.0
#: IPv6 addresses that lead to an IPv4 one (RFC 6052).
NAT64 = ipaddress.ip_network("64:ff9b::/96")
#: All of IPv6 that is given out to the public (RFC 4291).
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Unsent(Exception):
    """There was no answer: `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def is_acceptable(url: str, *, demo: bool) -> bool:
    """Whether an endpoint may have this address: https to a public host; in a demo also plain http to this machine."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    is_whole = bool(host) and not parts.fragment and parts.username is None and port != 0
    try:
        literal: Address | None = ipaddress.ip_address(host)
    except ValueError:
        literal = None
    if literal is not None and not is_public(literal, demo=demo):
        return False
    is_here = demo and (host == "localhost" or (literal is not None and literal.is_loopback))
    is_named = is_here or literal is not None or "." in host.strip(".")
    return is_whole and is_named and (parts.scheme == "https" or (parts.scheme == "http" and is_here))


def is_public(address: Address, *, demo: bool = False) -> bool:
    """Whether an address is on the public internet; in a demo this machine counts too."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner, demo=demo)
    if address.is_loopback:
        return demo
    if address.version == 6 and address not in GLOBAL_UNICAST:
        return False
    return address.is_global and not address.is_multicast


def post(url: str, body: bytes, headers: dict[str, str], *, demo: bool, timeout: float = TIMEOUT) -> int:
    """The status of the answer. Raises Unsent with a code when there was none within `timeout` seconds."""
    if not is_acceptable(url, demo=demo):
        raise Unsent("bad_address")
    parts = urlsplit(url)
    host, is_secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    deadline = time.monotonic() + timeout
    held = _Held(_connected(_resolved(host, port, demo=demo), port, deadline))
    # A socket's own timeout begins anew with each byte: somebody slow could hold us for ever.
    watch = threading.Timer(max(0.0, deadline - time.monotonic()), held.end)
    watch.daemon = True
    watch.start()
    try:
        if is_secure:
            context = ssl.create_default_context()
            held.sock = secure = context.wrap_socket(
                held.sock, server_hostname=host, do_handshake_on_connect=False
            )
            secure.do_handshake()
        connection = http.client.HTTPConnection(host, port, timeout=timeout)
        connection.default_port = 443 if is_secure else 80
        connection.sock = held.sock
        connection.request("POST", f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}", body, headers)
        return int(connection.getresponse().status)
    except ssl.SSLCertVerificationError:
        raise Unsent("bad_certificate") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unsent("timeout" if held.is_late or isinstance(error, TimeoutError) else "no_answer") from None
    finally:
        watch.cancel()
        held.sock.close()


@dataclass
class _Held:
    """The connection, plain or secured, which a timer may end."""

    sock: socket.socket
    is_late: bool = False

    def end(self) -> None:
        self.is_late = True
        with suppress(OSError):  # it has ended by itself
            self.sock.shutdown(socket.SHUT_RDWR)


def _connected(addresses: list[str], port: int, deadline: float) -> socket.socket:
    code = "no_connection"
    for address in addresses:
        left = deadline - time.monotonic()
        if left <= 0:
            raise Unsent("timeout")
        try:
            return socket.create_connection((address, port), timeout=left)
        except TimeoutError:
            code = "timeout"
        except OSError:
            code = "no_connection"
    raise Unsent(code)


def _resolved(host: str, port: int, *, demo: bool) -> list[str]:
    """The addresses of a host, when all of them are public."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unsent("no_such_host") from None
    addresses = list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
    if not addresses:
        raise Unsent("no_such_host")
    if not all(is_public(ipaddress.ip_address(address), demo=demo) for address in addresses):
        raise Unsent("private_address")
    return addresses
