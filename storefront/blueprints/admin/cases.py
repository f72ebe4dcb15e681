"""What the public has reported: read, taken on, answered, decided. Each look is recorded."""

from __future__ import annotations

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.audit.record import record
from storefront.blueprints.admin import allowed, bp, overview
from storefront.blueprints.admin.overview import Queue
from storefront.cases import lists, office
from storefront.cases.lists import Readers
from storefront.cases.models import Case
from storefront.cases.report import KINDS
from storefront.days import today
from storefront.display import format_date
from storefront.extensions import db
from storefront.keyset import asked_turn
from storefront.people import access, policy
from storefront.people.policy import Action
from storefront.written import Written


@overview.queue(Action.CASES_READ)
def unanswered() -> Queue:
    """Reports that wait for an answer, and since when one is due."""
    count, due = lists.waiting(_readers())
    note = _("Tidak ada yang menunggu jawaban")
    if due:
        note = (
            _("Ada yang lewat batas: %(date)s", date=format_date(due))
            if due < today()
            else _("Jawaban paling lambat %(date)s", date=format_date(due))
        )
    return Queue(count, _("laporan menunggu jawaban"), note, url_for("admin.case_list"))


@bp.get("/cases")
@access.rule(Action.CASES_READ)
def case_list() -> ResponseReturnValue:
    """All reports, those that wait first."""
    state, kind = request.args.get("state"), request.args.get("kind")
    state, kind = state if state in lists.STATES else None, kind if kind in KINDS else None
    readers = _readers()
    found = lists.cases(readers, state, kind, asked_turn())
    return render_template(
        "admin/cases.html",
        found=found,
        counts=lists.counts(readers),
        states=lists.STATES,
        kinds=KINDS,
        state=state,
        kind=kind,
        page_url=lambda newer, older: url_for("admin.case_list", state=state, kind=kind, newer=newer, older=older),
    )


@bp.get("/cases/<int:case_id>")
@access.rule(Action.CASES_READ)
def case(case_id: int) -> ResponseReturnValue:
    """One report with everything written about it."""
    found = _own(case_id)
    record("case.read", "case", found.number, person_id=access.person_id())
    db.session.commit()
    return _page(found, Written())


@bp.get("/cases/<int:case_id>/files/<int:file_id>")
@access.rule(Action.CASES_READ)
def case_file(case_id: int, file_id: int) -> ResponseReturnValue:
    """A photo or PDF of a report, to be downloaded."""
    found = _own(case_id)
    content, mimetype, name = lists.file(case_id, file_id)
    record("case.file_read", "case", found.number, person_id=access.person_id(), details={"file": file_id})
    db.session.commit()
    response: Response = make_response(content)
    response.mimetype = mimetype
    response.headers["Content-Disposition"] = f'attachment; filename="{found.number}-{name}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@bp.post("/cases/<int:case_id>/take")
@access.rule(Action.CASES_WRITE)
def take_case(case_id: int) -> ResponseReturnValue:
    """Decide it from now on."""
    form = Written(request.form)
    _own(case_id)
    done = form.done(lambda: office.take(case_id, form["seen"], access.person_id()))
    return _ended(case_id, form, done, _("Laporan ini Anda yang menangani."))


@bp.post("/cases/<int:case_id>/answer")
@access.rule(Action.CASES_WRITE)
def answer_case(case_id: int) -> ResponseReturnValue:
    """Write to whoever reported."""
    form = Written(request.form)
    _own(case_id)
    done = form.done(lambda: office.answer(case_id, form["body"], form["seen"], access.person_id()))
    return _ended(case_id, form, done, _("Jawaban disimpan. Pelapor membacanya di halaman laporannya."))


@bp.post("/cases/<int:case_id>/close")
@access.rule(Action.CASES_WRITE)
def close_case(case_id: int) -> ResponseReturnValue:
    """Decide it."""
    form = Written(request.form)
    _own(case_id)
    done = form.done(
        lambda: office.close(case_id, form["outcome"], form["body"], form["seen"], access.person_id())
    )
    return _ended(case_id, form, done, _("Laporan selesai."))


def _readers() -> Readers:
    """Whose eyes these are. People of a facility never see what is about it, whatever else they are."""
    who = access.person()
    reach = policy.reach(who, Action.CASES_READ, face="admin")
    within = None if reach.everywhere else reach.facility_ids
    return Readers(within, policy.presence(who, "seller").facility_ids)


def _own(case_id: int) -> Case:
    return lists.case(case_id, _readers())


def _ended(case_id: int, form: Written, done: object, said: str) -> ResponseReturnValue:
    if done is None:
        return _page(_own(case_id), form), form.status
    flash(said, "ok")
    return redirect(url_for("admin.case", case_id=case_id), 303)


def _page(found: Case, form: Written) -> str:
    return render_template(
        "admin/case.html",
        case=found,
        facility=lists.facility_name(found),
        thread=lists.thread(found.id),
        taken_by=lists.person_name(found.taken_by),
        closed_by=lists.person_name(found.closed_by),
        seen=office.mark(found),
        form=form,
        outcomes=office.OUTCOMES,
        may_write=allowed(Action.CASES_WRITE),
        me=access.person_id(),
        today=today(),
    )
