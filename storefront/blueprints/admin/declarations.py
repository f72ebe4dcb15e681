"""Fair-work declarations of all workshops: the office approves them, sends them back, or ends them."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.admin import allowed, bp
from storefront.blueprints.admin.overview import Queue, queue
from storefront.errors import NotFound
from storefront.facilities import declaration_lists, declarations
from storefront.facilities.declared import DeclarationView
from storefront.keyset import asked_turn
from storefront.languages import locale
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@queue(Action.DECLARATIONS_APPROVE)
def waiting() -> Queue:
    """Declarations that nobody has decided on."""
    return Queue(
        declaration_lists.count_waiting(),
        _("pernyataan kerja layak"),
        _("Tanpa pernyataan yang berlaku, bengkelnya tidak berjualan."),
        url_for("admin.declaration_list", state="proposed"),
    )


@bp.get("/declarations")
@access.rule(Action.DECLARATIONS_READ)
def declaration_list() -> ResponseReturnValue:
    """All declarations, those that wait first."""
    state = request.args.get("state", "")
    return render_template(
        "admin/declarations.html", found=declaration_lists.declarations(state, asked_turn()), state=state
    )


@bp.get("/declarations/<int:declaration_id>")
@access.rule(Action.DECLARATIONS_READ)
def declaration_page(declaration_id: int) -> ResponseReturnValue:
    """One declaration, word for word."""
    return page(declaration_id, Written())


@bp.post("/declarations/<int:declaration_id>/approve")
@access.rule(Action.DECLARATIONS_APPROVE)
def approve_declaration(declaration_id: int) -> ResponseReturnValue:
    """The second person agrees."""
    form = Written(request.form)
    done = form.done(lambda: declarations.approve(declaration_id, access.person_id()))
    return ended(declaration_id, form, done, _("Disetujui. Bengkelnya dapat berjualan selama pernyataan ini berlaku."))


@bp.post("/declarations/<int:declaration_id>/reject")
@access.rule(Action.DECLARATIONS_APPROVE)
def reject_declaration(declaration_id: int) -> ResponseReturnValue:
    """Back to the facility, with what must be changed."""
    form = Written(request.form)
    done = form.done(lambda: declarations.reject(declaration_id, access.person_id(), form.line("reason")))
    return ended(declaration_id, form, done, _("Dikembalikan ke lapas beserta alasannya."))


@bp.post("/declarations/<int:declaration_id>/end")
@access.rule(Action.DECLARATIONS_APPROVE)
def end_declaration(declaration_id: int) -> ResponseReturnValue:
    """It is not true (any more): the workshop sells nothing from now on."""
    form = Written(request.form)
    done = form.done(lambda: declarations.end(declaration_id, access.person_id(), form.line("reason")))
    return ended(declaration_id, form, done, _("Diakhiri. Karya bengkel ini tidak lagi dijual."))


def ended(declaration_id: int, form: Written, done: object, said: str) -> ResponseReturnValue:
    if done is None:
        return page(declaration_id, form), form.status
    flash(said, "ok")
    return redirect(url_for("admin.declaration_page", declaration_id=declaration_id), 303)


def page(declaration_id: int, form: Written) -> str:
    found = declaration_lists.find(declaration_id)
    if found is None:
        raise NotFound()
    row, workshop, facility = found
    values = {column.name: getattr(row, column.name) for column in row.__table__.columns}
    return render_template(
        "admin/declaration.html",
        row=row,
        declared=DeclarationView.of(workshop, values, locale()),
        in_english={name[:-3]: value for name, value in values.items() if name.endswith("_en")},
        facility=facility,
        form=form,
        may_decide=allowed(Action.DECLARATIONS_APPROVE),
        is_mine=row.proposed_by == access.person_id(),
    )
