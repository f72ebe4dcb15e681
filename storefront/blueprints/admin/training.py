"""Training of all facilities: the office checks what was recorded, sends it back or withdraws it; and sets targets."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront import days
from storefront.blueprints.admin import allowed, bp
from storefront.blueprints.admin.overview import Queue, queue
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility, Workshop
from storefront.keyset import asked_turn
from storefront.people import access, policy
from storefront.people.policy import Action
from storefront.training import followups, lists, record, targets
from storefront.training.lists import KINDS, STATES, Wanted
from storefront.training.models import TrainingProgramme
from storefront.written import Written


@queue(Action.TRAINING_WRITE)
def unchecked_training() -> list[Queue]:
    """Programmes that are over and known, and later counts: both count in public once somebody has read them."""
    programmes, since = lists.count_waiting()
    later, later_since = followups.count_waiting()
    return [
        Queue(
            programmes, _("program pelatihan menunggu pemeriksaan"),
            _("Setelah diperiksa, hitungannya masuk ke halaman dampak."),
            url_for("admin.training_list", state="recorded"), since=since.date() if since else None,
        ),
        Queue(
            later, _("hitungan setelah pelatihan menunggu pemeriksaan"),
            _("Berapa peserta yang kemudian bekerja atau punya usaha."),
            url_for("admin.training_list", state="followups"), since=later_since.date() if later_since else None,
        ),
    ]  # fmt: skip


@bp.get("/training")
@access.rule(Action.TRAINING_READ)
def training_list() -> ResponseReturnValue:
    """Programmes of all facilities, those that wait first: filtered, sorted, paged by the address."""
    wanted, reach = Wanted.asked(request.args), _reach()
    return render_template(
        "admin/training.html",
        found=lists.programmes(reach, wanted, asked_turn()),
        wanted=wanted,
        years=lists.years(reach),
        states=(*STATES, "followups"),
        kinds=KINDS,
        facilities=lists.facilities(reach),
    )


@bp.get("/training/<int:programme_id>")
@access.rule(Action.TRAINING_READ)
def training_page(programme_id: int) -> ResponseReturnValue:
    """One programme with everything recorded of it."""
    return _page(programme_id, Written())


@bp.post("/training/<int:programme_id>/check")
@access.rule(Action.TRAINING_WRITE)
def check_training(programme_id: int) -> ResponseReturnValue:
    """The second person agrees: it counts from now on."""
    row, form = _own(programme_id), Written(request.form)
    done = form.done(lambda: record.check(row.id, access.person_id()))
    return _ended(programme_id, form, done, _("Diperiksa. Hitungannya berlaku mulai sekarang."))


@bp.post("/training/<int:programme_id>/reject")
@access.rule(Action.TRAINING_WRITE)
def reject_training(programme_id: int) -> ResponseReturnValue:
    """Back to the facility, with what must be changed."""
    row, form = _own(programme_id), Written(request.form)
    done = form.done(lambda: record.reject(row.id, access.person_id(), form["reason"]))
    return _ended(programme_id, form, done, _("Dikembalikan ke UPT beserta alasannya."))


@bp.post("/training/<int:programme_id>/withdraw")
@access.rule(Action.TRAINING_WRITE)
def withdraw_any_training(programme_id: int) -> ResponseReturnValue:
    """What was checked is wrong: it counts no more, and the facility records it anew."""
    row, form = _own(programme_id), Written(request.form)
    done = form.done(lambda: record.withdraw(row.id, access.person_id(), form["reason"], by_office=True))
    return _ended(programme_id, form, done, _("Ditarik: program ini tidak dihitung lagi. UPT dapat mencatatnya ulang."))


@bp.post("/training/<int:programme_id>/outcomes/<int:followup_id>/<any(check, reject):step>")
@access.rule(Action.TRAINING_WRITE)
def decide_training_outcome(programme_id: int, followup_id: int, step: str) -> ResponseReturnValue:
    """A later count holds from now on, or goes back with a reason."""
    row, form, me = _own(programme_id), Written(request.form), access.person_id()
    if step == "check":
        done = form.done(lambda: followups.check(row.id, followup_id, me))
        return _ended(programme_id, form, done, _("Diperiksa. Hitungannya berlaku mulai sekarang."))
    done = form.done(lambda: followups.reject(row.id, followup_id, me, form["reason"]))
    return _ended(programme_id, form, done, _("Dikembalikan ke UPT beserta alasannya."), followup_id)


@bp.get("/training/targets")
@access.rule(Action.TRAINING_READ)
def training_targets() -> ResponseReturnValue:
    """How many people the programme sets out to reach, by year, and who changed that."""
    return _targets(Written())


@bp.post("/training/targets")
@access.rule(Action.TRAINING_WRITE)
def set_training_target() -> ResponseReturnValue:
    """Set the target of a year, or set it anew."""
    _everywhere()
    form, me = Written(request.form), access.person_id()
    year, people = form.amount("year"), form.amount("people")
    row = form.done(
        lambda: targets.put(
            year, form["measure"], people, is_cumulative=bool(form["is_cumulative"]), source=form["source"],
            person_id=me,
        )
    )  # fmt: skip
    if row is None:
        return _targets(form), form.status
    flash(_("Target %(year)d disimpan. Halaman dampak menampilkannya.", year=row.year), "ok")
    return redirect(url_for("admin.training_targets"), 303)


@bp.post("/training/targets/<int:target_id>/remove")
@access.rule(Action.TRAINING_WRITE)
def remove_training_target(target_id: int) -> ResponseReturnValue:
    """Take a target away; the trail keeps what it was."""
    _everywhere()
    form, me = Written(request.form), access.person_id()

    def act() -> bool:
        targets.remove(target_id, me)
        return True

    if form.done(act) is None:
        return _targets(form), form.status
    flash(_("Target dihapus. Riwayatnya tetap di bawah."), "ok")
    return redirect(url_for("admin.training_targets"), 303)


def _reach() -> list[int] | None:
    """Whose programmes these eyes may read; None: all facilities'."""
    reach = policy.reach(access.person(), Action.TRAINING_READ, face="admin")
    return None if reach.everywhere else sorted(reach.facility_ids)


def _everywhere() -> None:
    """Return only for who works for all facilities: targets are everybody's. Raises NotFound."""
    if not policy.reach(access.person(), Action.TRAINING_WRITE, face="admin").everywhere:
        raise NotFound()


def _own(programme_id: int) -> TrainingProgramme:
    """Raises NotFound for a programme out of reach, as if it did not exist."""
    row = lists.find(programme_id, _reach())
    if row is None:
        raise NotFound()
    return row


def _ended(
    programme_id: int, form: Written, done: object, said: str, followup_id: int | None = None
) -> ResponseReturnValue:
    if done is None:
        return _page(programme_id, form, followup_id), form.status
    flash(said, "ok")
    return redirect(url_for("admin.training_page", programme_id=programme_id), 303)


def _page(programme_id: int, form: Written, wrong: int | None = None) -> str:
    row = _own(programme_id)
    return render_template(
        "admin/training_programme.html",
        row=row,
        facility=db.session.get_one(Facility, row.facility_id),
        workshop=db.session.get_one(Workshop, row.workshop_id).name,
        hands=lists.hands(row),
        later=followups.of_programme(row.id),
        form=form,
        #: The later count whose reason was refused.
        wrong=wrong,
        may_decide=allowed(Action.TRAINING_WRITE),
        me=access.person_id(),
        is_over=row.ended_on <= days.today(),
    )


def _targets(form: Written) -> str:
    return render_template(
        "admin/training_targets.html",
        found=targets.targets(),
        history=targets.history(),
        measures=targets.MEASURES,
        form=form,
        may_write=policy.reach(access.person(), Action.TRAINING_WRITE, face="admin").everywhere,
        today=days.today(),
    )
