"""Compress text over a kilobyte as the browser allows: zstd, brotli, else gzip at a low level.

The levels are those where time and size balance for pages of 5–50 kB; gzip stays low because it costs a
page more time than the page itself. Streams (exports) are compressed as they flow.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import brotli
import zstandard
from flask import Flask, Response, request

SMALLEST = 1024
TEXT = {
    "application/atom+xml",
    "application/feed+json",
    "application/javascript",
    "application/json",
    "application/ld+json",
    "application/manifest+json",
    "application/problem+json",
    "application/rss+xml",
    "application/x-ndjson",
    "application/xml",
    "image/svg+xml",
}
ENCODINGS = ("zstd", "br", "gzip")


class _Stream:
    """One of the three compressors behind two methods."""

    def __init__(self, encoding: str) -> None:
        self.machine: Any
        if encoding == "zstd":
            self.machine = zstandard.ZstdCompressor(level=3).compressobj()
            self.feed, self.close = self.machine.compress, self.machine.flush
        elif encoding == "br":
            self.machine = brotli.Compressor(quality=4)
            self.feed, self.close = self.machine.process, self.machine.finish
        else:
            self.machine = zlib.compressobj(2, zlib.DEFLATED, 31)
            self.feed, self.close = self.machine.compress, self.machine.flush


def best_encoding(accept: Any) -> str | None:
    """The encoding for an Accept-Encoding header: the browser's favourite, ours among equals."""
    best, weight = None, 0.0
    for encoding in ENCODINGS:
        quality = accept[encoding]
        if quality > weight:
            best, weight = encoding, quality
    return best


def init_app(app: Flask) -> None:
    """Compress answers of `app`; register this before other after-request hooks that need the plain text."""
    app.after_request(compress)


def compress(response: Response) -> Response:
    """Compress `response` in place when it is text, large enough and not compressed yet."""
    mimetype = response.mimetype or ""
    if not (mimetype.startswith("text/") or mimetype in TEXT) or response.status_code in (204, 206, 304):
        return response
    response.vary.add("Accept-Encoding")
    if "Content-Encoding" in response.headers or "no-transform" in response.headers.get("Cache-Control", ""):
        return response
    encoding = best_encoding(request.accept_encodings)
    if encoding is None or response.direct_passthrough:
        return response
    if response.is_streamed:
        if request.method == "HEAD":
            return response
        response.response = _flow(response.iter_encoded(), encoding)
        response.headers.pop("Content-Length", None)
    else:
        plain = response.get_data()
        if len(plain) < SMALLEST:
            return response
        response.set_data(squeeze(plain, encoding))
    response.headers["Content-Encoding"] = encoding
    # The same page in another encoding is another sequence of bytes: only a weak tag may cover both.
    tag, weak = response.get_etag()
    if tag is not None and not weak:
        response.set_etag(tag, weak=True)
    return response


def squeeze(plain: bytes, encoding: str) -> bytes:
    """`plain` compressed at once."""
    if encoding == "zstd":
        return zstandard.ZstdCompressor(level=3).compress(plain)
    if encoding == "br":
        return brotli.compress(plain, quality=4)
    stream = _Stream("gzip")
    return stream.feed(plain) + stream.close()


def _flow(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    stream = _Stream(encoding)
    try:
        for chunk in chunks:
            squeezed = stream.feed(chunk)
            if squeezed:
                yield squeezed
        yield stream.close()
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
