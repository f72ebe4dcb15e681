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
from storefront.refunds import refund_limits
from storefront.shop_settings import dated, others
from storefront.written import Written

#: Where the limit of refunds stands on the page.
LIMIT = "refund_limit"


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


@bp.post("/settings/refund-limit")
@access.rule(Action.SETTINGS_WRITE)
def propose_refund_limit() -> ResponseReturnValue:
    """Propose another limit of refunds, from a day on."""
    form = Written(request.form)
    amount, valid_from, basis = form.amount("amount"), form.day("valid_from"), form.line("legal_basis")
    done = form.done(
        lambda: refund_limits.propose(amount, valid_from=valid_from, legal_basis=basis, person_id=access.person_id())
    )
    return _limit_decided(form, done, _("Batas diusulkan. Administrator lain yang menyetujuinya."))


@bp.post("/settings/refund-limit/<int:limit_id>/approve")
@access.rule(Action.SETTINGS_WRITE)
def approve_refund_limit(limit_id: int) -> ResponseReturnValue:
    """Agree, as the second administrator."""
    form = Written(request.form)
    done = form.done(lambda: refund_limits.approve(limit_id, access.person_id()))
    return _limit_decided(form, done, _("Batas disetujui dan berlaku mulai harinya."))


@bp.post("/settings/refund-limit/<int:limit_id>/reject")
@access.rule(Action.SETTINGS_WRITE)
def reject_refund_limit(limit_id: int) -> ResponseReturnValue:
    """Decide against it, or take one's own proposal back."""
    form = Written(request.form)
    done = form.done(lambda: refund_limits.reject(limit_id, access.person_id()))
    return _limit_decided(form, done, _("Usulan tidak jadi. Batas yang lama tetap berlaku."))


def _limit_decided(form: Written, done: object, said: str) -> ResponseReturnValue:
    if done is None:
        return _page(LIMIT, form), form.status
    flash(said, "ok")
    return redirect(url_for("admin.settings_page", _anchor=LIMIT), 303)


def _page(name: str, form: Written) -> str:
    return render_template(
        "admin/settings.html",
        limits=refund_limits.rows(),
        dated=[(setting, dated.history(setting), dated.shipped(setting)) for setting in dated.SETTINGS.values()],
        me=access.person_id(),
        others=others.others(),
        refused=name,
        form=form,
        tomorrow=today() + datetime.timedelta(days=1),
        may_write=allowed(Action.SETTINGS_WRITE),
        reads_books=policy.may(access.person(), Action.BOOKS_READ),
    )
