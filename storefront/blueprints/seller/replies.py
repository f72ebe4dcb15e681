"""Answers kept ready: named, in both languages, used beside the answer to a question."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.audit.record import record
from storefront.blueprints.seller import allowed, bp
from storefront.enquiries import canned
from storefront.enquiries.models import CannedReply
from storefront.pages import page_number
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.get("/<code>/replies")
@access.rule(Action.ENQUIRIES_READ)
def reply_list(code: str) -> ResponseReturnValue:
    """The facility's answers kept ready, and the form for a new one."""
    return _list(Written())


@bp.post("/<code>/replies")
@access.rule(Action.ENQUIRIES_WRITE)
def add_reply(code: str) -> ResponseReturnValue:
    """Keep a new one."""
    form = Written(request.form)
    if form.done(lambda: _save(form)) is None:
        return _list(form), form.status
    flash(_("Jawaban siap pakai tersimpan."), "ok")
    return redirect(url_for("seller.reply_list", code=code), 303)


@bp.get("/<code>/replies/<int:reply_id>")
@access.rule(Action.ENQUIRIES_READ)
def reply_page(code: str, reply_id: int) -> ResponseReturnValue:
    """One of them, to read and to change. Raises NotFound for another facility's."""
    reply = canned.find(g.facility.id, reply_id)
    values = {"name": reply.name, "body": reply.body, "body_en": reply.body_en}
    return _page(reply, Written(values))


@bp.post("/<code>/replies/<int:reply_id>")
@access.rule(Action.ENQUIRIES_WRITE)
def change_reply(code: str, reply_id: int) -> ResponseReturnValue:
    """Keep it anew; answers that were sent with it stay as they are."""
    reply, form = canned.find(g.facility.id, reply_id), Written(request.form)
    if form.done(lambda: _save(form, reply)) is None:
        return _page(reply, form), form.status
    flash(_("Jawaban siap pakai tersimpan."), "ok")
    return redirect(url_for("seller.reply_list", code=code), 303)


@bp.get("/<code>/replies/<int:reply_id>/<any('delete', 'restore'):step>")
@access.rule(Action.ENQUIRIES_READ)
def after_reply_step(code: str, reply_id: int, step: str) -> ResponseReturnValue:
    """The address of a step, opened again."""
    canned.find(g.facility.id, reply_id)
    return redirect(url_for("seller.reply_list", code=code))


@bp.post("/<code>/replies/<int:reply_id>/<any('delete', 'restore'):step>")
@access.rule(Action.ENQUIRIES_WRITE)
def step_reply(code: str, reply_id: int, step: str) -> ResponseReturnValue:
    """Delete it, or have it back."""
    reply, form, me = canned.find(g.facility.id, reply_id), Written(request.form), access.person_id()

    def act() -> bool:
        (canned.remove if step == "delete" else canned.restore)(reply, me)
        _record(f"reply_kept.{step}d", reply)
        return True

    if form.done(act) is None:
        return _list(form), form.status
    if step == "restore":
        flash(_("Jawaban siap pakai kembali."), "ok")
    return redirect(url_for("seller.reply_list", code=code, gone=reply_id if step == "delete" else None), 303)


def _save(form: Written, reply: CannedReply | None = None) -> CannedReply:
    kept = canned.save(
        g.facility.id, form["name"], form["body"], form["body_en"], person_id=access.person_id(), reply=reply
    )
    _record("reply_kept.changed" if reply else "reply_kept.added", kept)
    return kept


def _record(action: str, reply: CannedReply) -> None:
    details = {"name": reply.name}
    me = access.person_id()
    record(action, "canned_reply", reply.id, person_id=me, facility_id=g.facility.id, details=details)


def _list(form: Written) -> str:
    gone = request.args.get("gone", 0, type=int)
    q, sort = request.args.get("q", "").strip()[:100], request.args.get("sort", "name")
    deleted = canned.find(g.facility.id, gone) if gone else None
    return render_template(
        "seller/replies.html",
        found=canned.listing(g.facility.id, q, sort, page_number()),
        q=q,
        sort=sort if sort == "changed" else "name",
        form=form,
        deleted=deleted if deleted is not None and deleted.deleted_at else None,
        may_write=allowed(Action.ENQUIRIES_WRITE),
    )


def _page(reply: CannedReply, form: Written) -> str:
    may_write = allowed(Action.ENQUIRIES_WRITE)
    return render_template("seller/reply.html", reply=reply, form=form, may_write=may_write)
