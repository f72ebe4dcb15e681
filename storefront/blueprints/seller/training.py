"""Training of the facility's makers: programmes counted and never named, and what became of their people later."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront import days
from storefront.blueprints.seller import allowed, bp
from storefront.errors import NotFound
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.stock import shelf
from storefront.training import followups, lists, record
from storefront.training.lists import KINDS, STATES, Wanted
from storefront.training.models import TrainingProgramme
from storefront.training.programme import Programme
from storefront.written import Written, whole_number

#: Fields of the form, as columns are named.
FIELDS = (
    "kind", "skill", "skill_en", "partner", "started_on", "ended_on", "hours", "participants", "women", "passed",
    "certified", "scheme", "batch",
)  # fmt: skip


@bp.get("/<code>/training")
@access.rule(Action.TRAINING_READ)
def training_list(code: str) -> ResponseReturnValue:
    """The facility's programmes: filtered, sorted, paged by the address."""
    wanted, own = Wanted.asked(request.args), [g.facility.id]
    return render_template(
        "seller/training.html",
        found=lists.programmes(own, wanted, asked_turn()),
        wanted=wanted,
        counts=lists.counts(g.facility.id),
        years=lists.years(own),
        states=STATES,
        kinds=KINDS,
        workshops=shelf.workshops(g.facility.id),
        may_write=allowed(Action.TRAINING_WRITE),
    )


@bp.get("/<code>/training/new")
@access.rule(Action.TRAINING_WRITE)
def new_training(code: str) -> ResponseReturnValue:
    """The form for a programme; with `again` it begins with what another one says."""
    again = request.args.get("again", 0, type=int)
    return _form(Written(_values(own(again)) if again else {}), None)


@bp.post("/<code>/training")
@access.rule(Action.TRAINING_WRITE)
def add_training(code: str) -> ResponseReturnValue:
    """Write a programme down, for the office to check."""
    form = Written(request.form)
    programme = _read(form)
    row = form.done(lambda: record.add(g.facility.id, programme, access.person_id()))
    if row is None:
        return _form(form, None), form.status
    flash(_("Program tercatat. Kantor pusat memeriksanya setelah selesai dan hasilnya ditulis."), "ok")
    return redirect(url_for("seller.training", code=code, programme_id=row.id), 303)


@bp.get("/<code>/training/<int:programme_id>")
@access.rule(Action.TRAINING_READ)
def training(code: str, programme_id: int) -> ResponseReturnValue:
    """One programme: its counts, who wrote and checked them, and what became of its people."""
    return _page(own(programme_id), Written())


@bp.get("/<code>/training/<int:programme_id>/edit")
@access.rule(Action.TRAINING_WRITE)
def edit_training(code: str, programme_id: int) -> ResponseReturnValue:
    """The form with what is recorded, as long as nobody has checked it."""
    row = own(programme_id)
    return _form(Written(_values(row)), row)


@bp.post("/<code>/training/<int:programme_id>/edit")
@access.rule(Action.TRAINING_WRITE)
def change_training(code: str, programme_id: int) -> ResponseReturnValue:
    """Write it again; what was sent back waits for the office again."""
    row, form = own(programme_id), Written(request.form)
    programme = _read(form)
    done = form.done(lambda: record.edit(g.facility.id, programme_id, programme, access.person_id()))
    if done is None:
        return _form(form, row), form.status
    flash(_("Disimpan. Kantor pusat memeriksanya."), "ok")
    return redirect(url_for("seller.training", code=code, programme_id=programme_id), 303)


@bp.post("/<code>/training/<int:programme_id>/withdraw")
@access.rule(Action.TRAINING_WRITE)
def withdraw_training(code: str, programme_id: int) -> ResponseReturnValue:
    """Take a wrong record back, with a reason."""
    row, form = own(programme_id), Written(request.form)
    done = form.done(lambda: record.withdraw(row.id, access.person_id(), form["reason"]))
    return _ended(programme_id, form, done, _("Ditarik: program ini tidak dihitung."))


@bp.post("/<code>/training/<int:programme_id>/outcomes")
@access.rule(Action.TRAINING_WRITE)
def add_training_outcome(code: str, programme_id: int) -> ResponseReturnValue:
    """Write down how many have work or a business of their own by now."""
    row, form = own(programme_id), Written(request.form)
    counted_on, own_business, employed = form.day("counted_on"), _count(form, "own_business"), _count(form, "employed")
    done = form.done(
        lambda: followups.add(
            g.facility.id,
            row.id,
            counted_on=counted_on,
            own_business=own_business or 0,
            employed=employed or 0,
            person_id=access.person_id(),
        )
    )
    return _ended(programme_id, form, done, _("Hitungan tercatat. Kantor pusat memeriksanya."))


@bp.post("/<code>/training/<int:programme_id>/outcomes/<int:followup_id>/withdraw")
@access.rule(Action.TRAINING_WRITE)
def withdraw_training_outcome(code: str, programme_id: int, followup_id: int) -> ResponseReturnValue:
    """Take a later count back before anybody has read it."""
    row, form = own(programme_id), Written(request.form)
    done = form.done(lambda: followups.withdraw(g.facility.id, row.id, followup_id, access.person_id()))
    return _ended(programme_id, form, done, _("Hitungan ditarik."))


def own(programme_id: int) -> TrainingProgramme:
    """The facility's own. Raises NotFound for another's, as if it did not exist."""
    row = lists.find(programme_id, [g.facility.id])
    if row is None:
        raise NotFound()
    return row


def _read(form: Written) -> Programme:
    """The programme as it is written; what cannot be read is said beside its field."""
    started_on, ended_on = form.day("started_on"), form.day("ended_on")
    counts = {name: _count(form, name) for name in ("hours", "participants", "women")}
    results = {name: _count(form, name) if form[name].strip() else None for name in ("passed", "certified")}
    return Programme(
        workshop_id=whole_number(form["workshop"]) or 0,
        kind=form["kind"],
        skill=form.line("skill"),
        skill_en=form.line("skill_en"),
        partner=form.line("partner"),
        started_on=started_on,
        ended_on=ended_on,
        hours=counts["hours"] or 0,
        participants=counts["participants"] or 0,
        women=counts["women"] or 0,
        passed=results["passed"],
        certified=results["certified"],
        scheme=form.line("scheme"),
        batch=form.line("batch").upper(),
    )


def _count(form: Written, name: str) -> int | None:
    """A number of people or hours that the database can hold."""
    number = whole_number(form[name])
    if number is None or number > 2_000_000_000:
        form.wrong(name, _("Tulis dengan angka bulat, tanpa koma."))
        return None
    return number


def _values(row: TrainingProgramme) -> dict[str, str]:
    """What is recorded, as it stands in the form."""
    found = {name: getattr(row, name) for name in FIELDS}
    return {name: "" if value is None else str(value) for name, value in found.items()} | {
        "workshop": str(row.workshop_id)
    }


def _ended(programme_id: int, form: Written, done: object, said: str) -> ResponseReturnValue:
    if done is None:
        return _page(own(programme_id), form), form.status
    flash(said, "ok")
    return redirect(url_for("seller.training", code=g.facility.code, programme_id=programme_id), 303)


def _form(form: Written, row: TrainingProgramme | None) -> str:
    is_open = row is None or row.state in ("recorded", "rejected")
    return render_template(
        "seller/training_form.html",
        form=form,
        row=row,
        kinds=KINDS,
        workshops=shelf.workshops(g.facility.id),
        may_write=allowed(Action.TRAINING_WRITE) and is_open,
    )


def _page(row: TrainingProgramme, form: Written) -> str:
    return render_template(
        "seller/training_programme.html",
        row=row,
        workshop=dict(shelf.workshops(g.facility.id)).get(row.workshop_id, ""),
        hands=lists.hands(row),
        later=followups.of_programme(row.id),
        form=form,
        may_write=allowed(Action.TRAINING_WRITE),
        today=days.today(),
    )
