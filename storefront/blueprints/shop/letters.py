"""The link in a letter that ends its kind: a page with a button, and one press for mail programs (RFC 8058)."""

from __future__ import annotations

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from storefront.blueprints.shop import bp
from storefront.blueprints.shop.for_one import for_one
from storefront.extensions import db
from storefront.people import letter_choices


@bp.get("/letters/<token>")
def letter_choice(token: str) -> ResponseReturnValue:
    """What the link opens. Nothing happens by opening it: programs that read mail open links too."""
    return _page(token)


@bp.post("/letters/<token>")
def choose_letter(token: str) -> ResponseReturnValue:
    """End this kind of letter for this address, without signing in; or begin it again."""
    row = letter_choices.find(token)
    letter_choices.choose(row.email, row.kind, request.form.get("step") == "again")
    db.session.commit()
    return _page(token)


def _page(token: str) -> Response:
    row = letter_choices.find(token)
    return for_one(render_template("shop/letter_choice.html", kind=row.kind, wanted=row.wanted))
