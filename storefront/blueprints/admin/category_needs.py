"""What each category asks for before something of it may be public."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import func, select

from storefront.blueprints.admin import bp
from storefront.catalogue.models import Category, CategoryNeed, Product
from storefront.extensions import db
from storefront.languages import locale
from storefront.listings import needs
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.get("/categories/needs")
@access.rule(Action.PUBLISH)
def category_needs() -> ResponseReturnValue:
    """All categories with what they ask for, and how many things of each are public."""
    asked: dict[int, set[str]] = {}
    for category_id, need in db.session.execute(select(CategoryNeed.category_id, CategoryNeed.need)):
        asked.setdefault(category_id, set()).add(need)
    counted = select(Product.category_id, func.count()).where(Product.status == "published")
    public = {id_: number for id_, number in db.session.execute(counted.group_by(Product.category_id))}  # noqa: C416
    order = (Category.position, Category.name)
    found = [
        (row.id, (row.name_en if locale() == "en" else "") or row.name, asked.get(row.id, set()), public.get(row.id, 0))
        for row in db.session.scalars(select(Category).where(Category.archived_at.is_(None)).order_by(*order))
    ]
    return render_template("admin/category_needs.html", categories=found, needs=needs.NEEDS)


@bp.get("/categories/<int:category_id>/needs")
@access.rule(Action.PUBLISH)
def after_category_needs(category_id: int) -> ResponseReturnValue:
    """The address of a refused change, opened again."""
    return redirect(url_for("admin.category_needs"))


@bp.post("/categories/<int:category_id>/needs")
@access.rule(Action.PUBLISH)
def change_category_needs(category_id: int) -> ResponseReturnValue:
    """Let a category ask for what is ticked."""
    wanted, form = request.form.getlist("need"), Written(request.form)
    form.done(lambda: needs.change_needs(category_id, wanted, person_id=access.person_id()) or True)
    flash(_("Disimpan. Yang sudah tayang punya 90 hari untuk melengkapi yang baru diminta."), "ok")
    return redirect(url_for("admin.category_needs", _anchor=f"kategori-{category_id}"), 303)
