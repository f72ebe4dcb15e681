"""The shop as an app on a phone: its manifest, its service worker, and the page for when there is no network.

`SERVICE_WORKER=off` takes the worker back from everybody: browsers ask for /sw.js whenever a page is opened.
"""

from __future__ import annotations

import hashlib
import json

from flask import Response, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.shop import bp
from storefront.blueprints.shop.public import public_page
from storefront.languages import locale

#: What every page needs, kept from the beginning.
FILES = (
    "css/app.css", "fonts/plus-jakarta-sans-5.3.0.woff2", "icons/icons.svg", "icons/mark.svg",
    "icons/kawung-nila.svg", "icons/kawung-paper.svg", "vendor/htmx-2.0.11.min.js", "js/app.js", "js/saved.js",
)  # fmt: skip
#: Faces that the worker never touches, not even to say that there is no network. /counter has a worker of its own.
OTHER_FACES = (
    *("/seller", "/finance", "/admin", "/counter", "/api", "/webhooks", "/sandbox", "/demo", "/fragments"),
    *("/feeds", "/healthz", "/readyz", "/metrics", "/media", "/share"),
)
COLOURS = {"theme_color": "#23345F", "background_color": "#FBF7F0"}


@bp.get("/manifest.webmanifest")
def manifest() -> ResponseReturnValue:
    """What a phone needs to install the shop; in the language of its address."""
    settings, asset = current_app.extensions["settings"], current_app.extensions["assets"].url
    home = url_for("shop.home")

    def icon(name: str, size: int, purpose: str) -> dict[str, str]:
        return {"src": asset(name), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}

    def shortcut(name: str, url: str) -> dict[str, object]:
        return {"name": name, "url": url, "icons": [icon("icons/app-192.png", 192, "any")]}

    body = {
        "id": home,
        "name": settings.shop_name + (" · " + _("DATA CONTOH") if settings.demo else ""),
        "short_name": settings.shop_name,
        "description": _("Karya tangan dari bengkel lapas. Jelas ke mana uangnya."),
        "lang": locale(),
        "dir": "ltr",
        "start_url": home,
        "scope": "/",
        "display": "standalone",
        "categories": ["shopping"],
        **COLOURS,
        "icons": [
            {"src": asset("icons/mark.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"},
            icon("icons/app-192.png", 192, "any"),
            icon("icons/app-512.png", 512, "any"),
            icon("icons/app-maskable-192.png", 192, "maskable"),
            icon("icons/app-maskable-512.png", 512, "maskable"),
        ],
        "shortcuts": [
            shortcut(_("Semua karya"), url_for("shop.products")),
            shortcut(_("Keranjang"), url_for("cart.show")),
            shortcut(_("Akun dan pesanan saya"), url_for("account.show")),
        ],
    }
    response = Response(json.dumps(body, ensure_ascii=False), mimetype="application/manifest+json")
    return _asked_again(response)


@bp.get("/sw.js")
def service_worker() -> ResponseReturnValue:
    """The worker, with the hashed names of what it keeps; never kept itself, so that it can be replaced at once."""
    assets = current_app.extensions["assets"]
    if not current_app.extensions["settings"].service_worker:
        return _asked_again(Response(assets.text("js/sw-off.js"), mimetype="text/javascript"))
    source: str = assets.text("js/sw.js")
    filled = {"FILES": [assets.url(name) for name in FILES], "OTHERS": list(OTHER_FACES)}
    for name, value in filled.items():
        assert f"/*{name}*/[]" in source
        source = source.replace(f"/*{name}*/[]", json.dumps(value))
    return _asked_again(Response(source, mimetype="text/javascript"))


@bp.get("/offline")
@public_page()
def offline() -> str:
    """What the worker shows when there is no network and no copy."""
    return render_template("shop/offline.html")


def _asked_again(response: Response) -> Response:
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:24])
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response
