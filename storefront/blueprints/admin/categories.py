"""The tree of categories: added, renamed, put in order, moved, merged, archived."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from storefront.blueprints.admin import bp
from storefront.catalogue import tree
from storefront.errors import Invalid
from storefront.languages import locale
from storefront.listings import merge_categories, needs
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.get("/categories")
@access.rule(Action.PAGES_WRITE)
def category_tree() -> ResponseReturnValue:
    """All categories with what they hold, and those that are no longer used."""
    return _page(Written())


@bp.post("/categories")
@access.rule(Action.PAGES_WRITE)
def add_category() -> ResponseReturnValue:
    """Add one, at the top or below another."""
    form = Written(request.form)
    name, name_en, parent = form.line("name"), form.line("name_en"), _id(form["parent"])
    if form.done(lambda: tree.add(name, name_en, parent, person_id=access.person_id())) is None:
        return _page(form), form.status
    flash(_("Kategori ditambahkan. Ia tampil di toko begitu ada karya di dalamnya."), "ok")
    return redirect(url_for("admin.category_tree"), 303)


@bp.get("/categories/<int:category_id>")
@access.rule(Action.PAGES_WRITE)
def category(category_id: int) -> ResponseReturnValue:
    """One category with all that can be done to it; `target` shows first what a merge would do."""
    return _one(category_id, Written({"target": request.args.get("target", "")}))


@bp.post("/categories/<int:category_id>/<any(rename, move, merge, archive, restore, up, down):act>")
@access.rule(Action.PAGES_WRITE)
def change_category(category_id: int, act: str) -> ResponseReturnValue:
    """Do one of them."""
    form, who = Written(request.form), access.person_id()
    name, name_en = form.line("name"), form.line("name_en")
    steps = {
        "rename": lambda: tree.rename(category_id, name, name_en, form["seen"], person_id=who),
        "move": lambda: tree.move(category_id, _id(form["parent"]), _id(form["seen"]), person_id=who),
        "merge": lambda: merge_categories.merge(category_id, _id(form["target"]) or 0, person_id=who),
        "archive": lambda: tree.archive(category_id, person_id=who),
        "restore": lambda: tree.restore(category_id, person_id=who),
        "up": lambda: tree.step(category_id, -1, person_id=who),
        "down": lambda: tree.step(category_id, 1, person_id=who),
    }
    done = form.done(steps[act])
    if done is None:
        return (_page(form) if act in ("restore", "up", "down") else _one(category_id, form, act)), form.status
    if isinstance(done, merge_categories.Effect):
        said = ngettext(
            "%(num)d karya pindah ke %(name)s. Alamat lama mengantar ke sana.",
            "%(num)d karya pindah ke %(name)s. Alamat lama mengantar ke sana.",
            done.products,
            name=_name(done.target),
        )
        flash(said, "ok")
        return redirect(url_for("admin.category", category_id=done.target.id), 303)
    if act not in ("up", "down"):
        flash(_("Disimpan. Toko mengikutinya mulai sekarang."), "ok")
    return redirect(url_for("admin.category_tree", _anchor=f"kategori-{category_id}"), 303)


def _page(form: Written) -> str:
    return render_template("admin/categories.html", tops=tree.tree(), archived=tree.archived(), form=form)


def _one(category_id: int, form: Written, act: str = "") -> str:
    branch, tops = tree.branch_of(category_id), tree.tree()
    effect = None
    if form["target"] and act in ("", "merge"):
        try:
            effect = merge_categories.effect(category_id, _id(form["target"]) or 0)
        except Invalid as refusal:
            form.errors.setdefault("target", str(refusal.extra["errors"]["target"]))
    return render_template(
        "admin/category.html",
        branch=branch,
        tops=[(top.category.id, _name(top.category)) for top in tops if top.category.id != category_id],
        others=[
            (one.category.id, ("— " if one is not top else "") + _name(one.category))
            for top in tops
            for one in (top, *top.below)
            if one.category.id != category_id
        ],
        effect=effect,
        asks=needs.needs_of(category_id),
        form=form,
        act=act,
    )


def _name(row: tree.Category) -> str:
    return (row.name_en if locale() == "en" else row.name) or row.name


def _id(written: str) -> int | None:
    return int(written) if written.isdecimal() and len(written) < 16 else None
