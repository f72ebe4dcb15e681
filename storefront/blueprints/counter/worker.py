"""The service worker of the counter, apart from the shop's: it keeps the counter's page for when there is no line."""

from __future__ import annotations

import hashlib
import json

from flask import Response, current_app, request
from flask.typing import ResponseReturnValue

from storefront.blueprints.counter import bp
from storefront.people import access

#: What the page needs besides its own modules.
FILES = (
    "css/app.css", "css/staff.css", "css/counter.css", "fonts/plus-jakarta-sans-5.3.0.woff2", "icons/icons.svg",
    "icons/mark.svg", "icons/mark-light.svg", "icons/kawung-nila.svg", "icons/kawung-paper.svg",
    "vendor/htmx-2.0.11.min.js", "vendor/nuintun-qrcode-5.0.3.min.js", "js/app.js",
)  # fmt: skip
WORKER = "js/counter/worker.js"


@bp.get("/sw.js")
@access.signed_in
def worker() -> ResponseReturnValue:
    """The worker for everything below `/counter/`; asked for again each time, so that it can be replaced at once."""
    assets = current_app.extensions["assets"]
    if current_app.extensions["settings"].service_worker:
        modules = [name for name in assets.names if name.startswith("js/counter/") and name != WORKER]
        files = json.dumps([assets.url(name) for name in (*FILES, *sorted(modules))])
        source = assets.text(WORKER).replace("/*FILES*/[]", files)
    else:
        source = assets.text("js/sw-off.js").replace('"shop-"', '"counter-"')
    response = Response(source, mimetype="text/javascript")
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:24])
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response
