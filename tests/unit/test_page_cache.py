"""Pages are kept up to a number of bytes; the ones longest unused go first."""

from __future__ import annotations

from flask import Flask

from storefront.page_cache import OVERHEAD, Page, PageCache


def page(letter: str, size: int = 1000) -> Page:
    return Page(letter.encode() * size)


def test_the_page_longest_unused_goes_first() -> None:
    cache = PageCache(capacity=10 * (OVERHEAD + 1000))
    for letter in "abcdefghij":
        cache.put(letter, page(letter))
    assert cache.get("a") is not None
    cache.put("k", page("k"))
    assert cache.get("b") is None
    assert cache.get("a") is not None
    assert len(cache) == 10


def test_a_page_put_twice_counts_once() -> None:
    cache = PageCache(capacity=10 * (OVERHEAD + 1000))
    for _ in range(50):
        cache.put("a", page("a"))
    cache.put("b", page("b"))
    assert cache.get("a") is not None


def test_a_page_too_large_for_the_cache_is_not_kept() -> None:
    cache = PageCache(capacity=8 * (OVERHEAD + 1000))
    cache.put("a", page("a", 100_000))
    assert cache.get("a") is None


def test_compressed_forms_count_too() -> None:
    cache = PageCache(capacity=10 * (OVERHEAD + 1000))
    kept = page("a")
    cache.put("a", kept)
    for letter in "bcdefghij":
        cache.put(letter, page(letter))
    kept.forms["br"] = b"x" * 5000
    cache.get("a")
    assert len(cache) < 10


def test_a_reader_who_has_the_page_gets_no_bytes() -> None:
    kept = page("a", 5000)
    with Flask("t").test_request_context(headers={"If-None-Match": f'W/"{kept.etag}"'}):
        answer = kept.response()
    assert answer.status_code == 304
    assert answer.get_data() == b""


def test_a_page_is_compressed_once_for_each_encoding() -> None:
    kept = page("a", 5000)
    app = Flask("t")
    for _ in range(2):
        with app.test_request_context(headers={"Accept-Encoding": "br"}):
            assert kept.response().headers["Content-Encoding"] == "br"
    assert list(kept.forms) == ["br"]
    with app.test_request_context(headers={"Accept-Encoding": "identity"}):
        assert kept.response().get_data() == kept.body
