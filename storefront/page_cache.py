"""Rendered public pages, kept in the process until what they show changes.

A page is kept whole: its bytes, their compressed forms and its ETag, under a key that says which state of
the shop it shows. Nothing is ever thrown out by hand: a newer state has another key, and what nobody asks
for any more falls off the end.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field

from flask import Response, request

from storefront.compression import SMALLEST, best_encoding, squeeze

#: Bytes that one process may use for pages.
CAPACITY = 32 * 1024 * 1024
#: What a page costs beside its bytes: key, object, dictionary slot.
OVERHEAD = 1024


@dataclass
class Page:
    """One rendered page and its compressed forms, each made when first asked for."""

    body: bytes
    mimetype: str = "text/html"
    etag: str = ""
    #: Words that found nothing, for the curators' list: counted each time the page is shown.
    lost_words: str = ""
    forms: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.etag = self.etag or hashlib.sha256(self.body).hexdigest()[:24]

    @property
    def size(self) -> int:
        """Bytes that it holds."""
        return OVERHEAD + len(self.body) + sum(len(form) for form in self.forms.values())

    def response(self, max_age: int = 0) -> Response:
        """The answer to the request at hand: compressed as its browser allows, 304 when it has the page."""
        response = Response(status=200, mimetype=self.mimetype)
        response.cache_control.public = True
        response.cache_control.max_age = max_age
        if not max_age:
            response.cache_control.no_cache = True
        response.vary.add("Accept-Encoding")
        response.set_etag(self.etag, weak=True)
        if request.if_none_match.contains_weak(self.etag):
            response.status_code = 304
            return response
        encoding = best_encoding(request.accept_encodings) if len(self.body) >= SMALLEST else None
        if encoding is None:
            response.set_data(self.body)
        else:
            if encoding not in self.forms:
                self.forms[encoding] = squeeze(self.body, encoding)
            response.set_data(self.forms[encoding])
            response.headers["Content-Encoding"] = encoding
        return response


class PageCache:
    """The pages asked for most lately, up to `capacity` bytes. Safe for threads."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self._pages: OrderedDict[Hashable, tuple[Page, int]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Page | None:
        """The page under `key`, or None."""
        with self._lock:
            found = self._pages.get(key)
            if found is None:
                return None
            self._pages.move_to_end(key)
            page, size = found
            # Compressed forms are added by readers; the account follows here.
            if page.size != size:
                self._put(key, page)
            return page

    def put(self, key: Hashable, page: Page) -> None:
        """Keep `page` under `key`, and let go of the ones longest unused."""
        with self._lock:
            self._put(key, page)

    def _put(self, key: Hashable, page: Page) -> None:
        old = self._pages.pop(key, None)
        if old is not None:
            self._size -= old[1]
        size = page.size
        if size > self.capacity // 8:
            return
        self._pages[key] = (page, size)
        self._size += size
        while self._size > self.capacity:
            _, (_, gone) = self._pages.popitem(last=False)
            self._size -= gone

    def clear(self) -> None:
        """Forget all pages."""
        with self._lock:
            self._pages.clear()
            self._size = 0

    def __len__(self) -> int:
        return len(self._pages)
