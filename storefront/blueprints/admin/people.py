"""Who works here: their roles, and beginning anew with the second factor, for which it takes two."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from storefront.blueprints.admin import allowed, bp
from storefront.blueprints.admin.overview import Queue, queue
from storefront.days import today
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.keyset import asked_turn
from storefront.languages import locale
from storefront.people import (
    access,
    factor_resets,
    office_invitations,
    role_reach,
    roles,
    second_factor,
    sessions,
)
from storefront.people import role_table as table
from storefront.people.models import Person
from storefront.people.policy import Action
from storefront.written import Written


@queue(Action.PEOPLE_WRITE)
def people_waiting() -> Queue:
    """Roles, invitations and phones to be set up anew, which a second administrator must agree to."""
    return Queue(
        roles.count_waiting() + office_invitations.count_waiting(),
        _("orang menunggu administrator kedua"),
        _("Undangan, peran, atau kode ponsel: satu administrator mengusulkan, yang lain menyetujui."),
        url_for("admin.people", waiting="1"),
    )


@bp.get("/people")
@access.rule(Action.PEOPLE_READ)
def people() -> ResponseReturnValue:
    """Everybody who holds a role, or held one."""
    words, role = request.args.get("q", "").strip()[:100], request.args.get("role", "")
    waits = request.args.get("waiting") == "1"
    found = roles.staff(words, role, asked_turn(), waiting=waits)
    return render_template(
        "admin/people.html",
        found=found,
        words=words,
        role=role,
        waits=waits,
        given=role_reach.GIVEN,
        invited=office_invitations.waiting() if found.is_first and not (words or role) else [],
        me=access.person_id(),
        may_change=allowed(Action.PEOPLE_WRITE),
    )


@bp.get("/roles")
@access.rule(Action.PEOPLE_READ)
def role_table() -> ResponseReturnValue:
    """Who may do what, as the policy has it."""
    return render_template("admin/roles.html", groups=table.groups(), faces=table.faces(), roles=table.ROLES)


@bp.get("/people/invite")
@access.rule(Action.PEOPLE_WRITE)
def invite_form() -> ResponseReturnValue:
    """The form for somebody who does not work here yet."""
    return _invite(Written())


@bp.post("/people/invite")
@access.rule(Action.PEOPLE_WRITE)
def invite() -> ResponseReturnValue:
    """Ask that somebody be invited."""
    form, me = Written(request.form), access.person_id()
    email, name, role = form["email"], form["name"], form["role"]
    row = form.done(
        lambda: office_invitations.invite(email, name, role, form["facility"], form["until"], me, locale=locale())
    )
    if row is None:
        return _invite(form), form.status
    said = _("Undangan untuk %(email)s menunggu administrator kedua; sesudah itu suratnya dikirim.", email=row.email)
    flash(said, "ok")
    return redirect(url_for("admin.people", waiting="1"), 303)


@bp.post("/people/invitations/<int:invitation_id>/<any('approve', 'withdraw'):step>")
@access.rule(Action.PEOPLE_WRITE)
def decide_invitation(invitation_id: int, step: str) -> ResponseReturnValue:
    """The second administrator agrees and the letter goes, or the invitation is taken back."""
    form, me = Written(request.form), access.person_id()
    act = office_invitations.approve if step == "approve" else office_invitations.withdraw
    row = form.done(lambda: act(invitation_id, me))
    if row is None:
        flash(form.refusal, "bad")
    elif step == "approve":
        flash(_("Undangan dikirim ke %(email)s. Tautannya berlaku tujuh hari.", email=row.email), "ok")
    else:
        flash(_("Undangan ditarik. Tautannya tidak berlaku lagi."), "ok")
    return redirect(url_for("admin.people"), 303)


@bp.get("/people/<int:person_id>")
@access.rule(Action.PEOPLE_READ)
def staff_member(person_id: int) -> ResponseReturnValue:
    """One person: roles, phone, devices."""
    return _page(person_id, Written())


@bp.post("/people/<int:person_id>/roles")
@access.rule(Action.PEOPLE_WRITE)
def propose_role(person_id: int) -> ResponseReturnValue:
    """Propose a further role, for one facility or the whole programme."""
    form, me = Written(request.form), access.person_id()
    if form.done(lambda: roles.propose(person_id, form["role"], form["facility"], me, form["until"])) is None:
        return _page(person_id, form), form.status
    return _back(person_id, _("Diusulkan. Administrator lain memberikannya di halaman ini."))


@bp.post("/people/<int:person_id>/proposals/<int:proposal_id>/<any('approve', 'reject'):step>")
@access.rule(Action.PEOPLE_WRITE)
def decide_role(person_id: int, proposal_id: int, step: str) -> ResponseReturnValue:
    """The second person gives the role, or somebody says no."""
    form, me = Written(request.form), access.person_id()
    act: Callable[[int, int, int], object] = roles.approve if step == "approve" else roles.reject
    if form.done(lambda: act(person_id, proposal_id, me)) is None:
        return _page(person_id, form), form.status
    said = _("Peran diberikan. Orangnya masuk lagi agar peran itu berlaku.")
    return _back(person_id, said if step == "approve" else _("Peran itu tidak diberikan."))


@bp.post("/people/<int:person_id>/roles/<int:membership_id>/end")
@access.rule(Action.PEOPLE_WRITE)
def end_role(person_id: int, membership_id: int) -> ResponseReturnValue:
    """A role ends now, and the person's sessions."""
    form, me = Written(request.form), access.person_id()
    if form.done(lambda: roles.end(person_id, membership_id, me)) is None:
        return _page(person_id, form), form.status
    return _back(person_id, _("Peran diakhiri, dan semua sesi masuknya ditutup."))


@bp.post("/people/<int:person_id>/sessions/end")
@access.rule(Action.PEOPLE_WRITE)
def end_sessions(person_id: int) -> ResponseReturnValue:
    """Sign somebody out everywhere, for a lost phone or PC."""
    form, me = Written(request.form), access.person_id()
    form.done(lambda: roles.end_sessions(person_id, me) or True)
    return _back(person_id, _("Semua sesi masuknya ditutup."))


@bp.post("/people/<int:person_id>/reset")
@access.rule(Action.PEOPLE_WRITE)
def ask_reset(person_id: int) -> ResponseReturnValue:
    """Ask that the phone may be set up anew."""
    form, me = Written(request.form), access.person_id()
    roles.find(person_id)
    if form.done(lambda: factor_resets.ask(person_id, form["reason"], me)) is None:
        return _page(person_id, form), form.status
    return _back(person_id, _("Diminta. Administrator lain menyetujuinya di halaman ini."))


@bp.post("/people/<int:person_id>/reset/<int:reset_id>/<any('approve', 'reject'):step>")
@access.rule(Action.PEOPLE_WRITE)
def decide_reset(person_id: int, reset_id: int, step: str) -> ResponseReturnValue:
    """The second person agrees, or somebody says no."""
    form, me = Written(request.form), access.person_id()
    act = factor_resets.approve if step == "approve" else factor_resets.reject
    if form.done(lambda: act(person_id, reset_id, me)) is None:
        return _page(person_id, form), form.status
    said = _("Disetujui. Saat masuk berikutnya orangnya memasang ponsel lagi.")
    return _back(person_id, said if step == "approve" else _("Tidak jadi disetel ulang."))


def _back(person_id: int, said: str) -> ResponseReturnValue:
    flash(said, "ok")
    return redirect(url_for("admin.staff_member", person_id=person_id), 303)


def _invite(form: Written) -> str:
    known = office_invitations.known(form["email"]) if form.errors.get("email") else None
    return render_template(
        "admin/invite.html", form=form, given=role_reach.GIVEN, facilities=_facilities(), known=known, latest=_latest()
    )


def _facilities() -> list[tuple[str, str]]:
    rows = db.session.execute(select(Facility.code, Facility.name).order_by(Facility.name))
    return [(code, name) for code, name in rows]


def _latest() -> str:
    return (today() + datetime.timedelta(days=role_reach.LONGEST_AUDIT)).isoformat()


def _page(person_id: int, form: Written) -> str:
    person = roles.find(person_id)
    factor, reset = second_factor.of(person_id), factor_resets.waiting(person_id)
    return render_template(
        "admin/person.html",
        person=person,
        held=roles.roles_of(person_id),
        proposals=roles.proposals(person_id),
        given=role_reach.GIVEN,
        facilities=_facilities(),
        latest=_latest(),
        factor=factor,
        left=second_factor.left_on_paper(factor) if factor else 0,
        reset=reset,
        asked_by=db.session.get_one(Person, reset.proposed_by).name if reset else None,
        sessions=sessions.living_of(person_id),
        form=form,
        me=access.person_id(),
        may_change=allowed(Action.PEOPLE_WRITE) and person_id != access.person_id(),
    )
