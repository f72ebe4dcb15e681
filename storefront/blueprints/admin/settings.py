"""The shop's settings in one place, each with its history; those of this page are changed from a day on."""

from __future__ import annotations

import datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.admin import allowed, bp
from storefront.days import today
from storefront.people import access, policy
from storefront.people.policy import Action
from storefront.shop_settings import dated, others
from storefront.written import Written


@bp.get("/settings")
@access.rule(Action.SETTINGS_READ)
def settings_page() -> ResponseReturnValue:
    """What holds, what will hold, and who set it when."""
    return _page("", Written())


@bp.post("/settings/<any(" + ", ".join(dated.SETTINGS) + "):name>")
@access.rule(Action.SETTINGS_WRITE)
def change_setting(name: str) -> ResponseReturnValue:
    """Have other figures from a day on."""
    form, setting = Written(request.form), dated.setting(name)
    values = {column: form.amount(column) for column in setting.bounds}
    valid_from, basis = form.day("valid_from"), form.line("legal_basis")
    done = form.done(
        lambda: dated.change(
            setting, values, valid_from=valid_from, legal_basis=basis, seen=form["seen"], person_id=access.person_id()
        )
    )
    if done is None:
        return _page(name, form), form.status
    flash(_("Disimpan. Berlaku mulai hari itu; yang sudah lewat tidak berubah."), "ok")
    return redirect(url_for("admin.settings_page", _anchor=name), 303)


def _page(name: str, form: Written) -> str:
    return render_template(
        "admin/settings.html",
        dated=[(setting, dated.history(setting)) for setting in dated.SETTINGS.values()],
        others=others.others(),
        refused=name,
        form=form,
        tomorrow=today() + datetime.timedelta(days=1),
        may_write=allowed(Action.SETTINGS_WRITE),
        reads_books=policy.may(access.person(), Action.BOOKS_READ),
    )
