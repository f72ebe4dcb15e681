"""Sales without a line that did not fit: each with its two ways out."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.counter import bp
from storefront.counter import conflicts
from storefront.languages import locale
from storefront.pages import page_number
from storefront.people import access
from storefront.written import Written


@bp.get("/<slug>/conflicts")
@access.signed_in
def conflict_list(slug: str) -> str:
    """Those that wait; with `decided=1` those that are decided."""
    return page(Written(), None)


@bp.post("/<slug>/conflicts/<int:conflict_id>/sold")
@access.signed_in
def sell_conflict(slug: str, conflict_id: int) -> ResponseReturnValue:
    """It was sold: book it at the price that was paid, with the levels put right."""
    form = Written(request.form)
    skus = {int(name[4:]): form.line(name) for name in request.form if name[:4] == "sku-" and name[4:].isdecimal()}
    done = form.done(
        lambda: conflicts.sold_after_all(
            g.exhibition, conflict_id, access.person_id(), note=form.line("note"), skus=skus
        )
    )
    if done is None:
        return page(form, conflict_id), form.status
    flash(_("Penjualan tercatat dengan harga yang dibayar, dan stok stan sudah dibetulkan."), "ok")
    return redirect(url_for("counter.conflict_list", slug=slug), 303)


@bp.post("/<slug>/conflicts/<int:conflict_id>/given-back")
@access.signed_in
def give_back_conflict(slug: str, conflict_id: int) -> ResponseReturnValue:
    """The buyer has their money again: nothing was sold."""
    form = Written(request.form)
    done = form.done(
        lambda: conflicts.given_back(g.exhibition, conflict_id, access.person_id(), note=form.line("note"))
    )
    if done is None:
        return page(form, conflict_id), form.status
    flash(_("Tercatat: uang sudah dikembalikan dan tidak ada yang terjual."), "ok")
    return redirect(url_for("counter.conflict_list", slug=slug), 303)


def page(form: Written, refused: int | None) -> str:
    """The list, with the refused form at its own conflict."""
    decided = request.args.get("decided") == "1"
    found = conflicts.listed(g.exhibition.id, decided=decided, page=page_number())
    return render_template(
        "counter/conflicts.html",
        exhibition=g.exhibition,
        here="conflicts",
        found=found,
        titles=conflicts.titles(found.rows, english=locale() == "en"),
        decided=decided,
        form=form,
        refused=refused,
    )
