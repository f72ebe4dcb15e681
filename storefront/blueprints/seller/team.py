"""Who works for the facility: its head invites and ends coordinators, and hands one's work to another."""

from __future__ import annotations

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.seller import allowed, bp
from storefront.errors import NotFound
from storefront.exports.handover_pdf import handover_pdf, rows_of
from storefront.people import access, coordinators, invitations
from storefront.people.coordinators import LastOne
from storefront.people.policy import Action
from storefront.teams import handover
from storefront.teams.models import Handover
from storefront.written import Written

#: Chosen in the handover's form for somebody who is not there yet.
NEW = "new"


@bp.get("/<code>/team")
@access.rule(Action.PEOPLE_READ)
def team(code: str) -> ResponseReturnValue:
    """Members since when and until when, when they last signed in, and who is invited."""
    return page(Written())


@bp.post("/<code>/team/invite")
@access.rule(Action.COORDINATORS_WRITE)
def invite(code: str) -> ResponseReturnValue:
    """Invite a coordinator by letter."""
    form = Written(request.form)
    row = form.done(lambda: invitations.invite(g.facility.id, form["email"], form["name"], access.person_id()))
    if row is None:
        return page(form), form.status
    return _back(_("Undangan dikirim ke %(email)s. Tautannya berlaku tujuh hari.", email=row.email))


@bp.post("/<code>/team/invitations/<int:invitation_id>/withdraw")
@access.rule(Action.COORDINATORS_WRITE)
def withdraw_invitation(code: str, invitation_id: int) -> ResponseReturnValue:
    """Take an invitation back."""
    form = Written(request.form)
    if form.done(lambda: handover.withdraw(g.facility.id, invitation_id, access.person_id())) is None:
        return page(form), form.status
    return _back(_("Undangan ditarik. Tautannya tidak berlaku lagi."))


@bp.get("/<code>/team/<int:member_id>/end")
@access.rule(Action.COORDINATORS_WRITE)
def ask_end(code: str, member_id: int) -> ResponseReturnValue:
    """What ending somebody's role means, before it is done."""
    return end_page(member_id, Written())


@bp.post("/<code>/team/<int:member_id>/end")
@access.rule(Action.COORDINATORS_WRITE)
def end_member(code: str, member_id: int) -> ResponseReturnValue:
    """End a coordinator's role and sessions."""
    form, facility_id = Written(request.form), g.facility.id
    is_own = coordinators.find(facility_id, member_id).person_id == access.person_id()
    sure = form["sure"] == "yes"
    if form.done(lambda: coordinators.end(facility_id, member_id, access.person_id(), sure=sure)) is None:
        return end_page(member_id, form), form.status
    if is_own:  # whose sessions have just ended
        return redirect(url_for("account.login"), 303)
    return _back(_("Tugasnya diakhiri, dan semua sesi masuknya ditutup. Kantor pusat diberi tahu."))


@bp.get("/<code>/team/<int:member_id>/handover")
@access.rule(Action.COORDINATORS_WRITE)
def ask_handover(code: str, member_id: int) -> ResponseReturnValue:
    """What would pass on from a coordinator, and to whom."""
    return handover_page(member_id, Written())


@bp.post("/<code>/team/<int:member_id>/handover")
@access.rule(Action.COORDINATORS_WRITE)
def hand_over(code: str, member_id: int) -> ResponseReturnValue:
    """Hand the work over, to a colleague at once, or to somebody invited when they accept."""
    form, facility_id, me = Written(request.form), g.facility.id, access.person_id()
    coordinators.find(facility_id, member_id)
    to = form["to"]

    def act() -> Handover:
        if to == NEW:
            return handover.hand_over_to_new(facility_id, member_id, form["email"], form["name"], me)
        return handover.hand_over(facility_id, member_id, int(to), me)

    if to != NEW and not (to.isascii() and to.isdigit() and len(to) < 18):
        form.wrong("to", _("Pilih kepada siapa."))
    try:
        row = form.done(act)
    except NotFound:
        form.wrong("to", _("Pilih koordinator lain yang masih bertugas."))
        row = None
    if row is None:
        return handover_page(member_id, form), form.status
    if row.done_at is None:
        return _back(_("Undangan dikirim. Pekerjaan beralih begitu undangan itu diterima."))
    return _back(_("Pekerjaan diserahkan. Cetak berita acaranya di bawah."))


@bp.get("/<code>/team/handovers/<int:handover_id>.pdf")
@access.rule(Action.PEOPLE_READ)
def handover_minute(code: str, handover_id: int) -> ResponseReturnValue:
    """The minute for signing."""
    row = handover.find(g.facility.id, handover_id)
    if row.done_at is None:
        raise NotFound()
    response = Response(handover_pdf(row), mimetype="application/pdf")
    name = f"serah-terima-{g.facility.code}-{row.done_at:%Y-%m-%d}.pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/<code>/team/handovers/<int:handover_id>/undo")
@access.rule(Action.COORDINATORS_WRITE)
def undo_handover(code: str, handover_id: int) -> ResponseReturnValue:
    """Within a day: as it was before."""
    form = Written(request.form)
    if form.done(lambda: handover.undo(g.facility.id, handover_id, access.person_id())) is None:
        return page(form), form.status
    return _back(_("Serah terima dibatalkan. Koordinator yang lama bertugas lagi, dan kantor pusat diberi tahu."))


def page(form: Written) -> str:
    facility_id = g.facility.id
    return render_template(
        "seller/team.html",
        form=form,
        members=coordinators.members(facility_id),
        invited=invitations.waiting(facility_id),
        handovers=handover.handovers(facility_id),
        may_be_undone=handover.may_be_undone,
        may_change=allowed(Action.COORDINATORS_WRITE),
    )


def end_page(member_id: int, form: Written) -> str:
    row = coordinators.find(g.facility.id, member_id)
    member = next(one for one in coordinators.members(g.facility.id) if one.id == row.id)
    others = [one for one in coordinators.members(g.facility.id) if one.is_living and one.role == row.role]
    return render_template(
        "seller/end_member.html",
        member=member,
        form=form,
        is_last=[one.id for one in others] == [row.id],
        sentence=LastOne.message,
        is_own=member.person_id == access.person_id(),
    )


def handover_page(member_id: int, form: Written) -> str:
    row = coordinators.find(g.facility.id, member_id)
    members = [one for one in coordinators.members(g.facility.id) if one.role == row.role]
    return render_template(
        "seller/handover.html",
        member=next(one for one in members if one.id == row.id),
        others=[one for one in members if one.is_living and one.id != row.id],
        form=form,
        rows=rows_of(handover.counts(g.facility.id, row.person_id)),
        new=NEW,
    )


def _back(said: str) -> ResponseReturnValue:
    flash(said, "ok")
    return redirect(url_for("seller.team", code=g.facility.code), 303)
