"""Public pages: rendered once for each state of the shop, then answered from memory.

One tiny statement reads the state (catalogue version, last journal entry); only if the page of that state is
not kept yet does the view run. Views return text, read no session and no cookie, and are the same for all.

A replica may answer (`storefront.replica`): then the state is the replica's, and a page is kept under the state that
was read on the very connection which the page is made from, so a page of before never stands under a newer state.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from flask import Response, current_app, g, request, url_for
from werkzeug.routing import RequestRedirect

from storefront import replica, sources
from storefront.blueprints.shop.state import State, StateReader, state_of_session
from storefront.catalogue import lost_searches
from storefront.catalogue.filters import led_on
from storefront.catalogue.index_keeper import current
from storefront.catalogue.version import CatalogueVersion
from storefront.days import days_everywhere
from storefront.errors import Unavailable
from storefront.impact.public_counts import PublicCounts, read_public_counts
from storefront.languages import locale
from storefront.ledger.totals import Totals, TotalsCache
from storefront.page_cache import Page, PageCache
from storefront.replica_watch import has_reached
from storefront.sources import Source

#: Longer addresses are answered but not kept: they are never what many ask for.
LONGEST_ADDRESS = 300

#: Shared by all pages: two that meet in one lock merely wait for each other.
TURNS = [threading.Lock() for _ in range(64)]

View = Callable[..., str]


def public_page(
    *, figures: bool = False, mimetype: str = "text/html", max_age: int = 0, may_lag: bool = True
) -> Callable[[View], Callable[..., Response]]:
    """Answer from memory while nothing changed. With `figures`, the page may show `totals()` and follows them.

    Browsers ask again each time, unless `max_age` seconds are given. `may_lag=False` for what must not come from a
    replica: what stays for ever, since it may lack the last seconds of a day that has just ended.
    """

    def decorate(view: View) -> Callable[..., Response]:
        @wraps(view)
        def answer(**arguments: Any) -> Response:
            def found() -> tuple[Page, int]:
                return _page(lambda: _rendered(view, arguments, mimetype), figures, max_age)

            if may_lag:
                page, age = replica.read(found)
            else:
                with sources.reading(Source.PRIMARY):
                    page, age = found()
            if page.lost_words:
                lost_searches.tally(current_app._get_current_object()).note(page.lost_words)  # type: ignore[attr-defined]
            return page.response(age)

        answer.may_lag = may_lag  # type: ignore[attr-defined]
        return answer

    return decorate


def _page(render: Callable[[], Page], figures: bool, max_age: int) -> tuple[Page, int]:
    """The page of the state that the source at hand is in, and for how long browsers keep it.

    Raises Unavailable when that source is away, and NotReached when it is a replica that this browser is ahead of.
    """
    reader, pages = _state_reader(), _page_cache()
    is_replica = sources.current() is Source.REPLICA
    try:
        mark = replica.mark_of_browser() if is_replica else None
        if mark and not has_reached(mark, reader.replayed()):
            raise replica.NotReached()
        key = _asked(reader.read(), figures)
    except Unavailable:
        if is_replica:
            raise  # the primary may answer
        return _kept(reader, pages, figures), 0
    page = pages.get(key)
    if page is None:
        with _one_at_a_time(key):
            page = pages.get(key)
            if page is None:
                if is_replica:
                    replica.require_reached()
                    key = _asked(state_of_session(), figures)
                page = render()
                if len(request.full_path) <= LONGEST_ADDRESS:
                    pages.put(key, page)
    return page, max_age


def _asked(state: State, figures: bool) -> tuple[object, ...]:
    """Have the page at hand be of `state`; the key that it is kept under."""
    g.catalogue, g.newest_operator = state.catalogue, state.newest_operator
    if figures:
        g.totals = _totals_cache().get(state.newest_entry)
    return _key(state, figures)


def _rendered(view: View, arguments: dict[str, Any], mimetype: str) -> Page:
    page = Page(view(**arguments).encode(), mimetype)
    page.lost_words = g.get("lost_words") or ""
    return page


def catalogue_version() -> CatalogueVersion:
    """The version of the catalogue that this page is kept under."""
    found: CatalogueVersion = g.catalogue
    return found


def lost(typed: str) -> None:
    """Say that this page found nothing for `typed`: whoever is shown it is counted, as far as words may be kept."""
    g.lost_words = lost_searches.keepable(typed)


def _key(state: State, figures: bool) -> tuple[object, ...]:
    """What the page at this address depends on."""
    return (
        state.catalogue,
        # Stamps are numbered at each source by itself; all else is the same wherever the state is.
        (sources.current(), g.totals.stamp) if figures else None,
        request.script_root,
        request.full_path,
        locale(),
        # Rules of the day, seasons and promised days change at midnight, in each zone at its own.
        days_everywhere(),
    )


def _kept(reader: StateReader, pages: PageCache, figures: bool) -> Page:
    """The page as it was a moment ago, while the database is away. Raises Unavailable when it is not kept."""
    state, figures_kept = reader.last(), _totals_cache().kept
    g.totals = figures_kept
    page = pages.get(_key(state, figures)) if state and (figures_kept or not figures) else None
    if page is None:
        raise Unavailable()
    return page


@contextmanager
def _one_at_a_time(key: object) -> Iterator[None]:
    """When a page has just changed and many ask for it at once, one renders it and the others wait for that.

    Not for long: whoever has waited two seconds renders it too.
    """
    turn = TURNS[hash(key) % len(TURNS)]
    is_ours = turn.acquire(timeout=2)
    try:
        yield
    finally:
        if is_ours:
            turn.release()


def plain_url(endpoint: str, **values: Any) -> str:
    """The address of a page without its language: what `canonical` is in templates."""
    return url_for(endpoint, **values).removeprefix(request.script_root)


def totals() -> Totals:
    """The figures that this page was keyed by."""
    found: Totals = g.totals
    return found


def public_counts() -> PublicCounts:
    """The counts of the catalogue's version that this page was keyed by; read once for each version."""
    kept = sources.kept("public_counts", _CountsOfVersion)
    found = kept.found
    if found is None or found[0] != g.catalogue:
        found = kept.found = (g.catalogue, read_public_counts())
    return found[1]


class _CountsOfVersion:
    found: tuple[CatalogueVersion, PublicCounts] | None = None


class Moved(RequestRedirect):
    """The page has another address for good."""

    code = 301


def follow_merged(argument: str) -> None:
    """Lead on an address whose `argument` names a category that has gone into another. Raises Moved."""
    merged = current(catalogue_version())[0].names.merged if request.args.get(argument) else {}
    query = led_on(request.args, argument, merged)
    if query is not None:
        raise Moved(f"{request.script_root}{request.path}?{query}")


def _state_reader() -> StateReader:
    settings = current_app.extensions["settings"]
    return sources.kept("shop_state", lambda: StateReader(settings, sources.current()))


def _page_cache() -> PageCache:
    pages: PageCache = current_app.extensions.setdefault("pages", PageCache())
    return pages


def _totals_cache() -> TotalsCache:
    return sources.kept("totals", TotalsCache)
