"""What is done with a whole listing: its page before it is public, copies, taking off, archive; and two versions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Response, flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from storefront.blueprints.seller import bp
from storefront.blueprints.seller.listing_page import moved, said
from storefront.catalogue.models import Product
from storefront.catalogue.product_page import ProductPage, product_page
from storefront.days import today
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.form_key import kept_key
from storefront.languages import locale
from storefront.ledger.shares import MoneySplit, money_split
from storefront.ledger.split_rules import Scope, rules_in_force
from storefront.listings import compare, drafts, lifecycle
from storefront.listings.preview import as_listed
from storefront.listings.typed import kept
from storefront.people import access
from storefront.people.policy import Action


@bp.get("/<code>/listings/<int:draft_id>/preview")
@access.rule(Action.LISTINGS_READ)
def listing_preview(code: str, draft_id: int) -> ResponseReturnValue:
    """The page that shoppers would see, by the code that will show it; or what is missing for that."""
    draft = drafts.own_draft(g.facility.id, draft_id)

    def show(product: Product) -> str:
        page = product_page(product.slug, locale(), request.args.get("sku", "")[:40])
        assert page is not None
        return render_template(
            "shop/product.html", product=page, money=_money(page), voices=NO_VOICES, preview=draft, code=code
        )

    missing = said(draft)
    if missing:
        return render_template("seller/listing_missing.html", draft=draft, missing=missing)
    try:
        page = as_listed(draft, g.facility, show)
    except Invalid as refusal:
        return render_template("seller/listing_missing.html", draft=draft, missing=refusal.errors)
    finally:
        db.session.rollback()
    return never_kept(page)


TO_MEND = _l("Karyanya kini ada di draf: lengkapi, lalu minta tinjauan di halaman ini.")
#: Nobody has said anything of what nobody has seen.
NO_VOICES: dict[str, Any] = {"rating": None, "reviews": [], "questions": [], "questions_total": 0, "reviews_total": 0}


def never_kept(page: str) -> Response:
    answer = make_response(page)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _money(page: ProductPage) -> MoneySplit | None:
    shown = page.shown
    if shown is None:
        return None
    (rule,) = rules_in_force([Scope(page.facility.id, page.workshop_id, page.commodity_group_id)], today())
    return money_split([(rule, shown.price, shown.material_cost or 0)])


@bp.post("/<code>/listings/<int:draft_id>/merge")
@access.rule(Action.LISTINGS_WRITE)
def merge_listing(code: str, draft_id: int) -> ResponseReturnValue:
    """Put two versions together as it was chosen, field by field."""
    draft = drafts.own_draft(g.facility.id, draft_id)
    try:
        sent = json.loads(request.form.get("mine", ""))
    except ValueError:
        raise Invalid() from None
    if not isinstance(sent, dict):
        raise Invalid()
    mine = {**kept(sent, draft.content), "papers": draft.content["papers"]}
    version = request.form.get("version", 0, type=int)
    chosen = {name[7:]: value for name, value in request.form.items() if name.startswith("choose.")}
    texts = {name[6:]: value.replace("\r\n", "\n") for name, value in request.form.items() if name.startswith("merge.")}
    chosen |= {path: f"={texts.get(path, '')}" for path, choice in chosen.items() if choice == "merge"}
    asked = {row.path for row in compare.differences(draft.content, mine)}
    if version < draft.content_version or asked - chosen.keys():
        return moved(draft_id, mine)
    content = compare.merged(draft.content, mine, chosen)
    try:
        drafts.save(g.facility.id, draft_id, version, content, person_id=access.person_id())
    except drafts.DraftMoved:
        db.session.rollback()
        return moved(draft_id, mine)
    db.session.commit()
    flash(_("Kedua versi sudah digabung dan tersimpan."), "ok")
    return redirect(url_for("seller.listing", code=code, draft_id=draft_id), 303)


@bp.post("/<code>/listings/<int:draft_id>/copy")
@access.rule(Action.LISTINGS_WRITE)
def copy_listing(code: str, draft_id: int) -> ResponseReturnValue:
    """A new draft that says the same."""
    draft = drafts.own_draft(g.facility.id, draft_id)
    key = kept_key(request.form.get("form_key", ""))
    copy = lifecycle.copy_draft(draft, form_key=key, person_id=access.person_id())
    db.session.commit()
    return to_copy(copy.id)


def to_copy(draft_id: int) -> ResponseReturnValue:
    flash(_("Salinannya ada di sini. Ubah nama, harga, dan stoknya."), "ok")
    return redirect(url_for("seller.listing", code=g.facility.code, draft_id=draft_id), 303)


@bp.post("/<code>/listings/<int:draft_id>/discard")
@access.rule(Action.LISTINGS_WRITE)
def discard_listing(code: str, draft_id: int) -> ResponseReturnValue:
    """Throw a draft away; the list offers to bring it back."""
    draft = drafts.own_draft(g.facility.id, draft_id, lock=True)
    event_id = lifecycle.discard(draft, person_id=access.person_id())
    db.session.commit()
    flash(_("Draf dibuang."), "ok")
    return redirect(url_for("seller.listings", code=code, discarded=event_id), 303)


@bp.post("/<code>/listings/discarded/<int:event_id>")
@access.rule(Action.LISTINGS_WRITE)
def undo_discard(code: str, event_id: int) -> ResponseReturnValue:
    """Bring a draft back that was thrown away."""
    draft = lifecycle.undo_discard(g.facility.id, event_id, person_id=access.person_id())
    db.session.commit()
    flash(_("Draf kembali seperti semula."), "ok")
    return redirect(url_for("seller.listing", code=code, draft_id=draft.id), 303)


@bp.post("/<code>/listings/products/<int:product_id>/edit")
@access.rule(Action.LISTINGS_WRITE)
def edit_product(code: str, product_id: int) -> ResponseReturnValue:
    """Write on a product: on its draft, begun from what is listed."""
    product = lifecycle.own_product(g.facility.id, product_id)
    draft = drafts.draft_of(product, person_id=access.person_id())
    db.session.commit()
    return redirect(url_for("seller.listing", code=code, draft_id=draft.id), 303)


@bp.post("/<code>/listings/products/<int:product_id>/copy")
@access.rule(Action.LISTINGS_WRITE)
def copy_product(code: str, product_id: int) -> ResponseReturnValue:
    """A new draft that says what the product says."""
    product = lifecycle.own_product(g.facility.id, product_id)
    key = kept_key(request.form.get("form_key", ""))
    copy = lifecycle.copy_product(product, form_key=key, person_id=access.person_id())
    db.session.commit()
    return to_copy(copy.id)


@bp.post("/<code>/listings/products/<int:product_id>/unpublish")
@access.rule(Action.LISTINGS_WRITE)
def unpublish_product(code: str, product_id: int) -> ResponseReturnValue:
    """Take a product off the shop."""
    return acted(product_id, lifecycle.unpublish, _("Karya tidak tampil lagi di toko. Pesanan yang sudah ada tetap."))


@bp.post("/<code>/listings/products/<int:product_id>/archive")
@access.rule(Action.LISTINGS_WRITE)
def archive_product(code: str, product_id: int) -> ResponseReturnValue:
    """Put a product away."""
    return acted(product_id, lifecycle.archive, _("Karya masuk arsip."))


@bp.post("/<code>/listings/products/<int:product_id>/bring-back")
@access.rule(Action.LISTINGS_WRITE)
def bring_product_back(code: str, product_id: int) -> ResponseReturnValue:
    """Undo taking off or archiving; what may not be on sale by now opens its own page, with the reasons there."""
    try:
        return acted(product_id, lifecycle.bring_back, _("Karya kembali seperti sebelumnya."), undo=False)
    except lifecycle.NotOnSaleAgain as refusal:
        db.session.rollback()
        product = lifecycle.own_product(g.facility.id, product_id, lock=True)
        lifecycle.bring_back(product, person_id=access.person_id(), to_mend=True)
        draft = drafts.draft_of(product, person_id=access.person_id())
        db.session.commit()
        flash(f"{product.title}: {refusal.message} {TO_MEND}", "bad")
        return redirect(url_for("seller.listing_review", code=code, draft_id=draft.id), 303)


def acted(product_id: int, act: Callable[..., None], sentence: str, *, undo: bool = True) -> ResponseReturnValue:
    """Do something with an own product and go back to the list, with its filters; the list offers to undo it."""
    product = lifecycle.own_product(g.facility.id, product_id, lock=True)
    act(product, person_id=access.person_id())
    db.session.commit()
    flash(f"{product.title}: {sentence}", "ok")
    asked = {name: request.form.get(name) or None for name in ("state", "q", "sort", "page")}
    undone: dict[str, Any] = {**asked, "archived": product_id if undo else None}
    return redirect(url_for("seller.listings", code=g.facility.code, **undone), 303)
