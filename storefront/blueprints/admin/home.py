"""The front page: which blocks, in which order, on which days; looked at before anyone else does."""

from __future__ import annotations

import datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.admin import bp
from storefront.blueprints.admin.preview import language_asked, spoken
from storefront.content import block_draft, home_blocks
from storefront.content.block_draft import KINDS, BlockDraft
from storefront.content.home_page import home_page
from storefront.content.models import HomeBlock
from storefront.days import today
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.ledger.totals import read_totals
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written, day


@bp.get("/home")
@access.rule(Action.PAGES_WRITE)
def home_list() -> ResponseReturnValue:
    """All blocks in their order, and what was changed lately."""
    return render_template(
        "admin/home.html", blocks=home_blocks.blocks(), changes=home_blocks.changes(), today=today(), kinds=KINDS
    )


@bp.get("/home/new/<any(" + ", ".join(KINDS) + "):kind>")
@access.rule(Action.PAGES_WRITE)
def new_block(kind: str) -> ResponseReturnValue:
    """The form of a block that is not there yet."""
    return _form(None, Written({"kind": kind}))


@bp.post("/home/new/<any(" + ", ".join(KINDS) + "):kind>")
@access.rule(Action.PAGES_WRITE)
def add_block(kind: str) -> ResponseReturnValue:
    """Add it below the others."""
    form = Written({**request.form.to_dict(), "kind": kind})
    draft = _draft(form)
    if form.done(lambda: home_blocks.add(draft, access.person_id())) is None:
        return _form(None, form), form.status
    flash(_("Blok ditambahkan paling bawah. Pindahkan ke tempatnya."), "ok")
    return redirect(url_for("admin.home_list"), 303)


@bp.get("/home/<int:block_id>")
@access.rule(Action.PAGES_WRITE)
def block_form(block_id: int) -> ResponseReturnValue:
    """A block's words, subject and days."""
    found = home_blocks.block(block_id)
    return _form(found, Written({**vars(block_draft.draft_of(found)), "version": found.version}))


@bp.post("/home/<int:block_id>")
@access.rule(Action.PAGES_WRITE)
def save_block(block_id: int) -> ResponseReturnValue:
    """Save it; the public sees it at once, within its days."""
    found = home_blocks.block(block_id)
    form = Written({**request.form.to_dict(), "kind": found.kind})
    draft, version = _draft(form), _version(form)
    if form.done(lambda: home_blocks.edit(block_id, draft, version, access.person_id())) is None:
        newest = home_blocks.block(block_id)
        form.values = {**form.values, "version": newest.version}
        return _form(newest, form), form.status
    flash(_("Blok disimpan."), "ok")
    return redirect(url_for("admin.home_list"), 303)


@bp.post("/home/preview")
@access.rule(Action.PAGES_WRITE)
def preview_block() -> ResponseReturnValue:
    """The front page with what was typed in it: saved for a moment, looked at, and taken back."""
    form = Written(request.form.to_dict())
    draft, person_id = _draft(form), access.person_id()
    first_day = max(today(), draft.starts_on or today())
    shown_on, language = day(form["day"]) or first_day, language_asked(form["language"])
    try:
        if form.errors:
            raise NotFound(next(iter(form.errors.values())))
        if form["block"].isdecimal():
            version = home_blocks.block(int(form["block"][:18])).version
            block = home_blocks.edit(int(form["block"][:18]), draft, version, person_id)
        else:
            block = home_blocks.add(draft, person_id)
        return _preview(shown_on, language, (block.id,))
    finally:
        db.session.rollback()


@bp.get("/home/preview")
@access.rule(Action.PAGES_WRITE)
def preview_home() -> ResponseReturnValue:
    """The front page on a day, with blocks that are not published yet if asked."""
    shown_on = day(request.args.get("day", "")) or today()
    drafts: tuple[int, ...] = ()
    if request.args.get("drafts"):
        drafts = tuple(block.id for block in home_blocks.blocks())
    return _preview(shown_on, language_asked(request.args.get("language", "")), drafts)


@bp.post("/home/<int:block_id>/<any(up, down, top, remove):step>")
@access.rule(Action.PAGES_WRITE)
def step_block(block_id: int, step: str) -> ResponseReturnValue:
    """Move a block, or take it off the page."""
    form = Written(request.form)
    seen = [int(part) for part in form["order"].split(",") if part.isdecimal()]
    place = seen.index(block_id) if block_id in seen else 0
    to = {"up": place - 1, "down": place + 1, "top": 0}

    def act() -> HomeBlock:
        if step == "remove":
            return home_blocks.remove(block_id, _version(form), access.person_id())
        return home_blocks.move(block_id, to[step], seen, access.person_id())

    if form.done(act) is None:
        flash(form.refusal, "bad")
    elif step == "remove":
        flash(_("Blok dilepas dari beranda. Di riwayat Anda dapat mengembalikannya."), "ok")
    return redirect(url_for("admin.home_list") + (f"#blok-{block_id}" if step != "remove" else ""), 303)


@bp.post("/home/changes/<int:change_id>/undo")
@access.rule(Action.PAGES_WRITE)
def undo_change(change_id: int) -> ResponseReturnValue:
    """Take a change back."""
    form = Written()
    done = form.done(lambda: home_blocks.undo(change_id, access.person_id()))
    flash(_("Perubahan dibatalkan.") if done else form.refusal, "ok" if done else "bad")
    return redirect(url_for("admin.home_list") + "#riwayat", 303)


@bp.get("/home/<int:block_id>/<any(up, down, top, remove):step>")
@access.rule(Action.PAGES_WRITE)
def after_step(block_id: int, step: str) -> ResponseReturnValue:
    """The address of a step, opened again: back to the list."""
    return redirect(url_for("admin.home_list"))


def _version(form: Written) -> int:
    return int(form["version"][:9]) if form["version"].isdecimal() else 0


def _draft(form: Written) -> BlockDraft:
    return BlockDraft(
        form["kind"],
        form.line("title"),
        form.line("title_en"),
        form["body"].replace("\r\n", "\n").replace("\0", "").strip(),
        form["body_en"].replace("\r\n", "\n").replace("\0", "").strip(),
        form.line("category"),
        form.line("facility"),
        form.line("workshop"),
        form["products"],
        form.day_or_none("starts_on"),
        form.day_or_none("ends_on"),
        bool(form["is_published"]),
    )


def _form(found: HomeBlock | None, form: Written) -> str:
    return render_template(
        "admin/block.html", block=found, kind=form["kind"], form=form, needs=KINDS[form["kind"]],
        choices=block_draft.choices(), with_text=form["kind"] in block_draft.WITH_TEXT, today=today(),
    )  # fmt: skip


def _preview(shown_on: datetime.date, language: str, drafts: tuple[int, ...]) -> str:
    with spoken(language):
        return render_template(
            "admin/home_preview.html",
            home=home_page(shown_on, language, drafts),
            shares=read_totals().of_year(shown_on.year),
            shown_on=shown_on,
            language=language,
            with_drafts=bool(drafts),
        )
