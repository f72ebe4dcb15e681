"""Facilities: admitted, changed, suspended and taken back by the office."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from storefront.admission import admit, lists, suspend
from storefront.admission.admit import Data
from storefront.blueprints.admin import allowed, bp
from storefront.blueprints.admin.overview import Queue, queue
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.keyset import asked_turn
from storefront.people import access, policy
from storefront.people.models import Person
from storefront.people.policy import Action
from storefront.written import Written


@queue(Action.FACILITIES_WRITE)
def children_waiting() -> Queue:
    """Facilities for children that a second administrator must agree to."""
    return Queue(
        lists.count_waiting(),
        _("LPKA menunggu administrator kedua"),
        _("Dibuka hanya dengan dasar hukum dan persetujuan orang lain."),
        url_for("admin.facility_list", state="waiting"),
    )


@bp.get("/facilities")
@access.rule(Action.FACILITIES_READ)
def facility_list() -> ResponseReturnValue:
    """Every facility, filtered by the address."""
    words, region = request.args.get("q", "").strip()[:100], request.args.get("region", "").strip()[:80]
    kind, state = request.args.get("kind", ""), request.args.get("state", "")
    words, region = words.replace("\0", ""), region.replace("\0", "")
    kind = kind if kind in admit.KINDS else ""
    state = state if state in lists.STATES else ""
    where = policy.reach(access.person(), Action.FACILITIES_READ, face="admin")
    ids = None if where.everywhere else where.facility_ids
    return render_template(
        "admin/facilities.html",
        found=lists.facilities(ids, words, region, kind, state, asked_turn()),
        asked={"q": words, "region": region, "kind": kind, "state": state},
        regions=lists.regions(),
        kinds=admit.KINDS,
        states=lists.STATES,
        may_change=allowed(Action.FACILITIES_WRITE),
    )


@bp.get("/facilities/new")
@access.rule(Action.FACILITIES_WRITE)
def new_facility() -> ResponseReturnValue:
    """The form for a facility that is not there yet."""
    return _new(Written())


@bp.post("/facilities/new")
@access.rule(Action.FACILITIES_WRITE)
def admit_facility() -> ResponseReturnValue:
    """Admit it; one for children is proposed."""
    form, me = Written(request.form), access.person_id()
    data = Data.read(form.values)
    facility = form.done(lambda: admit.admit(form["code"], form["slug"], data, form["legal_basis"], me))
    if facility is None:
        return _new(form), form.status
    if facility.status == "active":
        return _back(facility.code, _("UPT ini dibuka. Undang kepala dan koordinatornya, lalu karyanya dapat ditulis."))
    return _back(facility.code, _("LPKA diajukan. Administrator lain menyetujuinya di halaman ini."))


@bp.get("/facilities/<code>")
@access.rule(Action.FACILITIES_READ)
def facility_page(code: str) -> ResponseReturnValue:
    """One facility: what is known of it, and what hangs on it."""
    return _page(_find(code), Written())


@bp.post("/facilities/<code>")
@access.rule(Action.FACILITIES_WRITE)
def change_facility(code: str) -> ResponseReturnValue:
    """Say something else of it."""
    form, me = Written(request.form), access.person_id()
    data, seen = Data.read(form.values), Data.read({name: form[f"seen_{name}"] for name in Data.__dataclass_fields__})
    if form.done(lambda: admit.change(code, data, seen, me)) is None:
        return _page(_find(code), form), form.status
    return _back(code, _("Disimpan. Jejak audit mencatat apa yang diubah."))


@bp.post("/facilities/<code>/<any('propose', 'approve'):step>")
@access.rule(Action.FACILITIES_WRITE)
def admit_children(code: str, step: str) -> ResponseReturnValue:
    """Propose that a facility for children may sell, or agree as the second person."""
    form, me = Written(request.form), access.person_id()
    if step == "approve":
        done, said = form.done(lambda: admit.approve(code, me)), _("Disetujui. LPKA ini boleh berjualan.")
    else:
        done = form.done(lambda: admit.propose(code, form["legal_basis"], me))
        said = _("LPKA diajukan. Administrator lain menyetujuinya di halaman ini.")
    return _back(code, said) if done else (_page(_find(code), form), form.status)


@bp.get("/facilities/<code>/suspend")
@access.rule(Action.FACILITIES_WRITE)
def ask_suspend(code: str) -> ResponseReturnValue:
    """What a suspension would meet, before it is done."""
    return _suspend(_find(code), Written())


@bp.post("/facilities/<code>/suspend")
@access.rule(Action.FACILITIES_WRITE)
def suspend_facility(code: str) -> ResponseReturnValue:
    """Stop it."""
    form, me = Written(request.form), access.person_id()
    if form.done(lambda: suspend.suspend(code, form["reason"], me)) is None:
        return _suspend(_find(code), form), form.status
    return _back(code, _("Dihentikan. Tidak ada lagi yang dapat dipesan dari UPT ini, dan orangnya diberi tahu."))


@bp.post("/facilities/<code>/take-back")
@access.rule(Action.FACILITIES_WRITE)
def take_back_facility(code: str) -> ResponseReturnValue:
    """Let it sell again."""
    form, me = Written(request.form), access.person_id()
    if form.done(lambda: suspend.take_back(code, form["why"], me)) is None:
        return _page(_find(code), form), form.status
    return _back(code, _("UPT ini berjualan lagi, dan orangnya diberi tahu."))


def _back(code: str, said: str) -> ResponseReturnValue:
    flash(said, "ok")
    return redirect(url_for("admin.facility_page", code=code), 303)


def _find(code: str) -> Facility:
    found = db.session.scalar(select(Facility).where(Facility.code == code)) if admit.CODE.fullmatch(code) else None
    if found is None:
        raise NotFound()
    return found


def _new(form: Written) -> str:
    return render_template("admin/facility_new.html", form=form, **_choices())


def _page(facility: Facility, form: Written) -> str:
    admitted_by = db.session.get(Person, facility.admitted_by) if facility.admitted_by else None
    return render_template(
        "admin/facility.html",
        facility=facility,
        data=admit.of(facility),
        state=lists.state_of(facility.id),
        waits=admit.waits(facility),
        admitted_by=admitted_by.name if admitted_by else None,
        effects=suspend.effects(facility),
        suspensions=suspend.history(facility.id),
        form=form,
        me=access.person_id(),
        may_change=allowed(Action.FACILITIES_WRITE),
        **_choices(),
    )


def _suspend(facility: Facility, form: Written) -> str:
    state = lists.state_of(facility.id)
    return render_template(
        "admin/facility_suspend.html", facility=facility, state=state, effects=suspend.effects(facility), form=form
    )


def _choices() -> dict[str, object]:
    return {"provinces": lists.provinces(), "kinds": admit.KINDS, "zones": list(admit.ZONES.items())}
