"""Words that mean the same to shoppers, and a try at what search makes of a word."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.admin import bp
from storefront.catalogue import synonyms
from storefront.catalogue.filters import clean
from storefront.errors import NotFound
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.get("/synonyms")
@access.rule(Action.PAGES_WRITE)
def synonym_list() -> ResponseReturnValue:
    """All groups, a form for a new one, and a try."""
    return _page(Written({"terms": clean(request.args.get("terms", ""))}))


@bp.post("/synonyms")
@access.rule(Action.PAGES_WRITE)
def add_synonyms() -> ResponseReturnValue:
    """Make a group."""
    form = Written(request.form)
    if form.done(lambda: synonyms.add(form["terms"], access.person_id())) is None:
        return _page(form), form.status
    flash(_("Sinonim disimpan. Pencarian memakainya mulai sekarang."), "ok")
    return redirect(url_for("admin.synonym_list"), 303)


@bp.get("/synonyms/<int:group_id>")
@access.rule(Action.PAGES_WRITE)
def synonym_group(group_id: int) -> ResponseReturnValue:
    """One group to change."""
    return _group_page(group_id, Written())


@bp.post("/synonyms/<int:group_id>")
@access.rule(Action.PAGES_WRITE)
def change_synonyms(group_id: int) -> ResponseReturnValue:
    """Give a group other terms, or take it away (`remove`)."""
    person_id, form = access.person_id(), Written(request.form)
    if form["remove"]:
        terms = form.done(lambda: synonyms.remove(group_id, person_id)) or ()
        flash(_("Kelompok dihapus. Untuk mengembalikannya, tekan Simpan pada isian di bawah."), "ok")
        return redirect(url_for("admin.synonym_list", terms=", ".join(terms), _anchor="tambah"), 303)
    if form.done(lambda: synonyms.change(group_id, form["terms"], person_id)) is None:
        return _group_page(group_id, form), form.status
    flash(_("Sinonim disimpan. Pencarian memakainya mulai sekarang."), "ok")
    return redirect(url_for("admin.synonym_list"), 303)


def _page(form: Written) -> str:
    tried, part = clean(request.args.get("try", "")), clean(request.args.get("part", ""))
    meanings, together = synonyms.meanings(tried) if tried else ([], 0)
    return render_template(
        "admin/synonyms.html",
        form=form,
        groups=synonyms.groups(part),
        part=part,
        tried=tried,
        meanings=meanings,
        together=together,
    )


def _group_page(group_id: int, form: Written) -> str:
    group = next((group for group in synonyms.groups() if group.id == group_id), None)
    if group is None:
        raise NotFound()
    return render_template("admin/synonym_group.html", group=group, form=form)
