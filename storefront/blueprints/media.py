"""`/media/<key>`: photos, under names that never change their content."""

from __future__ import annotations

import re

from flask import Blueprint, Response, abort, request, send_file
from flask.typing import ResponseReturnValue

from storefront.media.storage import public_files

bp = Blueprint("media", __name__)

#: Photos and nothing else: what is served here can neither run nor be anything a browser would guess at.
PHOTO = re.compile(r"photos/[0-9a-f]{2}/[0-9a-f]{32}-[0-9]{1,4}\.(avif|webp)")
TYPES = {"avif": "image/avif", "webp": "image/webp"}
YEAR = 31_536_000


@bp.get("/media/<path:key>")
def file(key: str) -> ResponseReturnValue:
    """A photo's file, to be kept for a year; 404 for anything else."""
    known = PHOTO.fullmatch(key)
    if known is None:
        abort(404)
    store = public_files()
    mimetype = TYPES[known[1]]
    try:
        if store.is_local:
            # The key names the content, so it is its own ETag.
            response = send_file(
                store.path(key), mimetype=mimetype, etag=key.rpartition("/")[2], max_age=YEAR
            )
        else:
            response = Response(store.read(key), mimetype=mimetype)
            response.set_etag(key.rpartition("/")[2])
            response.make_conditional(request)
    except FileNotFoundError:
        abort(404)
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
