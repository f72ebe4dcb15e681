"""Who runs the shop: the words of every page's foot, from a day on."""

from __future__ import annotations

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.admin import bp, overview
from storefront.blueprints.admin.overview import Queue
from storefront.content import operator
from storefront.days import today
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written

FIELDS = ("name", "name_en", "address", "email", "phone", "legal_basis")


@overview.queue(Action.SETTINGS_WRITE)
def contact_missing() -> Queue:
    """The address that the shop was shipped with is nobody's."""
    invented = operator.operator().email.endswith(".example") and not current_app.extensions["settings"].demo
    return Queue(
        int(invented),
        _("alamat kontak yang harus diisi"),
        _("Surel di kaki setiap halaman masih contoh") if invented else _("Alamat kontak sudah diisi"),
        url_for("admin.operator_form"),
    )


@bp.get("/operator")
@access.rule(Action.SETTINGS_WRITE)
def operator_form() -> ResponseReturnValue:
    """The words in force, and those of other days."""
    now = operator.operator()
    values = {
        "name": now.name_id,
        "name_en": now.name_en,
        "address": now.address,
        "email": now.email,
        "phone": now.phone,
        "legal_basis": now.legal_basis,
        "valid_from": today().isoformat(),
    }
    return _form(Written(values))


@bp.post("/operator")
@access.rule(Action.SETTINGS_WRITE)
def set_operator() -> ResponseReturnValue:
    """Have other words from a day on."""
    form = Written(request.form)
    fields = {name: form.line(name) for name in FIELDS}
    valid_from = form.day("valid_from")
    seen = int(form["seen"][:18]) if form["seen"].isdecimal() else 0
    if form.done(lambda: operator.set_operator(fields, valid_from, seen, access.person_id())) is None:
        return _form(form), form.status
    operator.forget()
    flash(_("Disimpan. Kaki setiap halaman mengikutinya sejak hari itu."), "ok")
    return redirect(url_for("admin.operator_form"), 303)


def _form(form: Written) -> str:
    rows = operator.history()
    return render_template(
        "admin/operator.html",
        form=form,
        rows=rows,
        seen=max(row.id for row in rows),
        current=operator.operator().id,
        today=today(),
    )
