"""What the stand has on sale, for the phone to keep."""

from __future__ import annotations

import datetime
import hashlib
import json

from flask import Response, g, request
from flask.typing import ResponseReturnValue

from storefront.blueprints.counter import bp
from storefront.counter import on_sale
from storefront.days import today
from storefront.extensions import db
from storefront.people import access
from storefront.people.policy import Action


@bp.get("/<slug>/catalogue.json")
@access.rule(Action.COUNTER_SELL)
def catalogue(slug: str) -> ResponseReturnValue:
    """Pieces at the stand with prices and what is free of each; 304 while nothing of it changed."""
    items = on_sale.at_stand(g.exhibition.id, today())
    db.session.commit()  # codes for labels that had none
    fair = g.exhibition
    told = {
        "exhibition": {
            "slug": fair.slug, "name": fair.name,
            "starts_on": fair.starts_on.isoformat(), "ends_on": fair.ends_on.isoformat(),
        },
        "items": items,
    }  # fmt: skip
    etag = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:24]
    as_of = datetime.datetime.now(datetime.UTC).isoformat()
    response = Response(json.dumps({**told, "as_of": as_of}, ensure_ascii=False), mimetype="application/json")
    response.set_etag(etag)
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response
