"""For search engines and price comparison: robots.txt, sitemap, product feed."""

from __future__ import annotations

from flask import Response, current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config import Settings
from storefront.blueprints.shop import bp
from storefront.blueprints.shop.public import public_page
from storefront.catalogue import feed, sitemap, version
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.languages import locale

#: Addresses that are nobody's business but the visitor's.
PRIVATE = (
    *("account", "admin", "cart", "checkout", "counter", "finance", "fragments", "login"),
    *("notify", "orders", "p", "report", "sandbox", "seller"),
)


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
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


@bp.get("/sitemap.xml")
@public_page(mimetype="application/xml")
def sitemap_xml() -> str:
    """All public pages, or an index of parts where they are many."""
    base, parts = _settings().base_url, sitemap.part_count()
    if parts > 1:
        return sitemap.index_xml([f"{base}/sitemap-{number}.xml" for number in range(1, parts + 1)])
    return sitemap.part_xml(1, base)


@bp.get("/sitemap-<int:number>.xml")
@public_page(mimetype="application/xml")
def sitemap_part(number: int) -> str:
    """One part of a large sitemap."""
    if not 1 <= number <= sitemap.part_count():
        raise NotFound()
    return sitemap.part_xml(number, _settings().base_url)


@bp.get("/feeds/products.xml")
def product_feed() -> ResponseReturnValue:
    """All products on sale for Google Merchant, streamed; 304 while the catalogue is as it was."""
    settings, language, now = _settings(), locale(), version.read()
    title = settings.shop_name
    if settings.demo:
        title += " · " + _("DATA CONTOH – angka rekaan")
    link = settings.base_url + url_for("shop.home")
    response = Response(mimetype="application/xml")
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.set_etag(f"feed-{now.number}-{now.raised_by}-{language}", weak=True)
    response.make_conditional(request)
    if response.status_code != 304:
        # The conditional answer measured an empty body; a stream has no length yet.
        response.headers.pop("Content-Length", None)
        response.response = feed.feed_xml(db.engine, title, link, settings.base_url, language)
    return response
