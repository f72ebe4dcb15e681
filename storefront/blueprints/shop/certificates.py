"""Whether a certificate of sale is ours: its code opens what the paper must say."""

from __future__ import annotations

from flask import make_response, render_template
from flask.typing import ResponseReturnValue

from storefront.blueprints.shop import bp
from storefront.exports.certificates import by_code, name_of
from storefront.extensions import limiter


@bp.get("/certificates/<code>")
@limiter.limit("30 per minute")
def certificate(code: str) -> ResponseReturnValue:
    """Number, facility, days and sum of a paper, for whoever holds it. Raises NotFound for a code that none carries."""
    found = by_code(code)
    page = render_template(
        "shop/certificate.html", certificate=found, number=name_of(found, found.content["code"])
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response
