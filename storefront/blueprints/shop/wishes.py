"""The wish list: one page for guests, whose browser keeps it, and for who has an account. Nobody keeps its pages."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from storefront.blueprints.shop import bp
from storefront.blueprints.shop.for_one import for_one
from storefront.errors import DomainError
from storefront.extensions import db
from storefront.languages import locale
from storefront.people import access
from storefront.shoppers import wishes
from storefront.shoppers.wishes import Wished


@bp.get("/wishlist")
def wish_list() -> ResponseReturnValue:
    """One's own list; with `items` that of somebody who shared it."""
    given = request.args.get("items")
    who = access.person()
    if given is not None:
        shared = wishes.of_items(wishes.read_items(given), locale())
        return _page(list_=[one for one in shared if one.card], is_shared=True)
    return _page(list_=wishes.of_person(who.id, locale()) if who else None)


@bp.post("/wishlist")
def change_wish_list() -> ResponseReturnValue:
    """Put a product on the list of an account or take it off: a heart without JavaScript, or with it."""
    who = access.person()
    slug, gone = request.form.get("slug", "")[:120], request.form.get("remove", "")[:120]
    if who is None:
        back = url_for("shop.product", slug=slug) if wishes.ITEM.fullmatch(slug) else url_for("shop.wish_list")
        return redirect(url_for("account.login", next=back), 303)
    try:
        if gone:
            wishes.remove(who.id, gone)
        else:
            wishes.add(who.id, slug)
    except DomainError as refusal:
        db.session.rollback()
        if _by_script():
            raise
        return _page(list_=wishes.of_person(who.id, locale()), refusal=refusal, status=refusal.status)
    db.session.commit()
    return _done()


@bp.post("/wishlist/merge")
def merge_wish_list() -> ResponseReturnValue:
    """What a guest's browser kept goes to the account that has signed in there; the browser then forgets it."""
    who = access.person()
    if who is None:
        return Response(status=401)
    wishes.merge(who.id, wishes.read_items(request.form.get("items", "")))
    db.session.commit()
    return _done()


@bp.get("/fragments/wishlist")
def guests_wishes() -> ResponseReturnValue:
    """The list that a guest's browser names, drawn."""
    listed = wishes.of_items(wishes.read_items(request.args.get("items", "")), locale())
    return for_one(render_template("shop/_wishes.html", wishes=listed, own=True, share=_share(listed)))


def _page(*, list_: list[Wished] | None, is_shared: bool = False, status: int = 200, **more: Any) -> Response:
    """The page; without a list the browser asks for its own."""
    return for_one(
        render_template(
            "shop/wishlist.html", wishes=list_, own=not is_shared, share=_share(list_ or []), most=wishes.MOST, **more
        ),
        status,
    )


def _share(listed: list[Wished]) -> str:
    """The address that shows these to anybody, empty for none; the prices of the past are nobody else's business."""
    slugs = [one.slug for one in listed if one.card]
    return url_for("shop.wish_list", items=",".join(slugs), _external=True) if slugs else ""


def _by_script() -> bool:
    return request.headers.get("HX-Request") == "true"


def _done() -> Any:
    return Response(status=204) if _by_script() else redirect(url_for("shop.wish_list"), 303)
