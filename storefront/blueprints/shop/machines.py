"""For search engines, price comparison and other shop windows: robots.txt, sitemap, feeds."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable, Iterator

from flask import Response, current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config import Settings
from storefront import sources
from storefront.blueprints.shop import bp
from storefront.blueprints.shop.public import public_page
from storefront.catalogue import feed, open_feed, sitemap, version
from storefront.content import pages as texts
from storefront.errors import Invalid, NotFound
from storefront.exhibitions import public
from storefront.extensions import db
from storefront.languages import locale
from storefront.replica import reads_from_replica

#: Addresses that are nobody's business but the visitor's.
PRIVATE = (
    *("account", "admin", "cart", "checkout", "counter", "finance", "fragments", "login"),
    *("notify", "orders", "p", "report", "sandbox", "seller"),
)
#: Pages that the sitemap names beside texts, facilities, categories and products.
PAGES = ("/", "/products", "/facilities", "/exhibitions", "/impact", "/help")
#: How long readers keep a feed or a part of the sitemap before they ask again, in seconds.
KEPT = 3600
#: Nothing changed before; what is asked for from earlier is asked for from here.
BEGINNING = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


@bp.get("/robots.txt")
def robots() -> ResponseReturnValue:
    """What robots may read: nothing in a demo, else all public pages."""
    lines = ["User-agent: *"]
    if _settings().demo:
        lines.append("Disallow: /")
    else:
        lines += [f"Disallow: {root}/{name}" for name in PRIVATE for root in ("", "/en")]
        # Endless combinations of filters lead to the same products.
        lines += [f"Disallow: /*{name}=" for name in ("q", "min", "max", "sort", "availability", "rating")]
        lines += ["", f"Sitemap: {_settings().base_url}{url_for('shop.sitemap_xml')}"]
    response = Response("\n".join(lines) + "\n", mimetype="text/plain")
    response.headers["Cache-Control"] = f"public, max-age={KEPT}"
    return response


@bp.get("/sitemap.xml")
@public_page(mimetype="application/xml")
def sitemap_xml() -> str:
    """The index of all files of the sitemap."""
    base = _settings().base_url
    products = [(f"{base}/sitemap-{number}.xml", day) for number, day in sitemap.parts()]
    return sitemap.index_xml([(f"{base}/sitemap-pages.xml", None), *products])


@bp.get("/sitemap-pages.xml")
@public_page(mimetype="application/xml")
def sitemap_pages() -> str:
    """Every public page that is no product."""
    fairs = (f"/exhibitions/{slug}" for slug in public.slugs())
    pages = [*PAGES, *fairs, *(f"/pages/{slug}" for slug in texts.SLUGS)]
    return sitemap.pages_xml(pages, _settings().base_url)


@bp.get("/sitemap-<int:number>.xml")
@reads_from_replica
def sitemap_part(number: int) -> ResponseReturnValue:
    """Products of one span, streamed; 304 while the catalogue is as it was."""
    if number not in {known for known, _day in sitemap.parts()}:
        raise NotFound()
    base, engine = _settings().base_url, sources.engine()
    return _streamed("sitemap", "application/xml", lambda: sitemap.part_xml(engine, number, base))


@bp.get("/feeds/products.xml")
@reads_from_replica
def product_feed() -> ResponseReturnValue:
    """All products on sale for Google Merchant, streamed; 304 while the catalogue is as it was."""
    settings, language, engine = _settings(), locale(), sources.engine()
    title = settings.shop_name
    if settings.demo:
        title += " · " + _("DATA CONTOH – angka rekaan")
    link = settings.base_url + url_for("shop.home")
    return _streamed(
        f"feed-{language}",
        "application/xml",
        lambda: feed.feed_xml(engine, title, link, settings.base_url, language),
    )


@bp.get("/feeds/catalogue.jsonl")
def catalogue_lines() -> ResponseReturnValue:
    """The catalogue for other shop windows as JSON lines; `since` asks for what changed."""
    return _catalogue("application/x-ndjson", open_feed.as_json_lines)


@bp.get("/feeds/catalogue.csv")
def catalogue_csv() -> ResponseReturnValue:
    """The same as CSV."""
    return _catalogue("text/csv", open_feed.as_csv)


def _catalogue(mimetype: str, write: Callable[..., Iterator[str]]) -> ResponseReturnValue:
    # Never from a replica: whoever asks again `since` the moment named here would miss what it did not know yet.
    asked = request.args.get("since", "").strip()[:40]
    note = _("DATA CONTOH") if _settings().demo else ""
    wish = open_feed.Wish(_moment(asked) if asked else None, _settings().base_url, note)
    until = open_feed.now(db.engine).astimezone(datetime.UTC).isoformat(timespec="seconds")
    response = _streamed(f"{mimetype}-{asked}", mimetype, lambda: write(db.engine, wish))
    response.headers["Feed-Until"] = until.replace("+00:00", "Z")
    return response


def _moment(asked: str) -> datetime.datetime:
    """A moment as RFC 3339; a day alone begins at midnight UTC. Raises Invalid for `since`."""
    try:
        # In an address a plus that is not escaped arrives as a space.
        moment = datetime.datetime.fromisoformat(asked.replace(" ", "+"))
    except ValueError:
        how = _(
            "Tulis waktu seperti 2026-11-24T09:30:00Z; setiap jawaban menyebut waktu berikutnya di Feed-Until."
        )
        raise Invalid({"since": how}) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
    return max(moment, BEGINNING)


def _streamed(name: str, mimetype: str, write: Callable[[], Iterator[str]]) -> Response:
    """A stream that readers may keep for an hour, tagged by the state of the catalogue that it shows."""
    now = version.read()
    db.session.rollback()
    response = Response(mimetype=mimetype)
    response.headers["Cache-Control"] = f"public, max-age={KEPT}"
    tag = hashlib.sha256(repr((name, now)).encode()).hexdigest()[:24]
    response.set_etag(tag, weak=True)
    response.make_conditional(request)
    if response.status_code != 304:
        # The conditional answer measured an empty body; a stream has no length yet.
        response.headers.pop("Content-Length", None)
        response.response = write()
    return response
