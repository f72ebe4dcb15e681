"""Other systems are reached on the public internet alone, whatever a name or a redirect leads to."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest

from storefront.integrations import send
from storefront.integrations.send import Unsent, is_acceptable, is_public, post
from tests.receiver import receiver

PRIVATE = (
    "127.0.0.1", "10.0.0.5", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2001:db8::1", "fec0::1", "::7f00:1",
)  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_public_is_refused(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    host = f"[{address}]" if ":" in address else address
    assert not is_acceptable(f"https://{host}/hook", demo=False)


@pytest.mark.parametrize("address", ["8.8.8.8", "103.10.10.10", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_taken(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("url", "outside", "in_a_demo"),
    [
        ("https://data.example.go.id/hook?x=1", True, True),
        ("https://data.example.go.id:8443/", True, True),
        ("http://data.example.go.id/", False, False),
        ("http://127.0.0.1:9000/", False, True),
        ("http://localhost:9000/", False, True),
        ("https://localhost/", False, True),
        ("https://gudang/", False, False),
        ("https://me:secret@data.example.go.id/", False, False),
        ("https://data.example.go.id/#x", False, False),
        ("https://data.example.go.id:99999/", False, False),
        ("https:///hook", False, False),
        ("ftp://data.example.go.id/", False, False),
        ("https://data.example.go.id/\r\nX: y", False, False),
        ("https://[::1", False, False),
        ("", False, False),
    ],
)
def test_what_an_address_may_look_like(url: str, outside: bool, in_a_demo: bool) -> None:
    assert (is_acceptable(url, demo=False), is_acceptable(url, demo=True)) == (outside, in_a_demo)


def test_a_name_that_leads_inside_is_refused_when_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolver(*addresses: str) -> Any:
        return lambda host, port, **_: [(socket.AF_INET, 1, 6, "", (address, port)) for address in addresses]

    # One answer among several is enough to refuse all: which of them is taken is the resolver's mood.
    for addresses in (("127.0.0.1",), ("8.8.8.8", "10.0.0.1")):
        monkeypatch.setattr(socket, "getaddrinfo", resolver(*addresses))
        with pytest.raises(Unsent, match="private_address"):
            post("https://data.example.go.id/", b"{}", {}, demo=False)


def test_the_address_that_was_checked_is_the_one_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that answers differently the second time is never asked a second time."""
    asked, connected = [], []

    def resolve(host: str, port: int, **_: Any) -> Any:
        asked.append(host)
        return [(socket.AF_INET, 1, 6, "", ("8.8.8.8" if len(asked) == 1 else "127.0.0.1", port))]

    def connect(address: tuple[str, int], timeout: float) -> Any:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(send.socket, "create_connection", connect)
    with pytest.raises(Unsent, match="no_connection"):
        post("https://data.example.go.id/", b"{}", {}, demo=False)
    assert (asked, connected) == (["data.example.go.id"], [("8.8.8.8", 443)])


@pytest.mark.parametrize(("answer", "code"), [(0, "timeout"), (-1, "timeout"), (-2, "no_answer")])
def test_somebody_slow_holds_nobody(answer: int, code: str) -> None:
    with receiver() as other:
        other.answers = [answer]
        with pytest.raises(Unsent, match=code):
            post(other.url, b"{}", {}, demo=True, timeout=0.3)


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    with receiver() as other:
        other.answers = [302]
        assert post(other.url, b"{}", {}, demo=True) == 302
        assert [path for path, _headers, _body in other.taken] == ["/hook?from=shop"]


def test_where_nobody_listens_there_is_no_answer() -> None:
    with receiver() as other:
        url = other.url
    with pytest.raises(Unsent, match="no_connection"):
        post(url, b"{}", {}, demo=True)
