"""Pages of a list, which one a request asks for, and which page stands above an address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from flask import current_app, request
from werkzeug.exceptions import HTTPException

#: Far enough for people; no OFFSET beyond what the database counts in.
LAST_PAGE = 100_000

T = TypeVar("T")


@dataclass(frozen=True)
class Paged(Generic[T]):
    """One page of a list that goes by number; `total` counts all rows. Lists that grow go by key (`keyset.py`)."""

    size: ClassVar[int]

    rows: Sequence[T]
    total: int
    page: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.size))


def page_number(name: str = "page") -> int:
    """The page asked for in the query string, from 1; anything else means the first."""
    asked = request.args.get(name, 1, type=int)
    return min(max(asked, 1), LAST_PAGE)


def page_above() -> str | None:
    """Address of the nearest page above this one, with the same query; None when only the home page is.

    A refused form stands at the address it was sent to. Who opens that again (reload, a language link) is led to
    the page that the form is on.
    """
    adapter = current_app.create_url_adapter(request)
    path = request.path.rstrip("/")
    while adapter is not None and (path := path.rpartition("/")[0]):
        for address in (path, f"{path}/"):
            try:
                adapter.match(address, method="GET")
            except HTTPException:
                continue
            query = request.query_string.decode("latin-1")
            return request.script_root + address + ("?" + query if query else "")
    return None
