"""The one queue: what waits for a curator, why, beside what it belongs to; three keys, each of them undoable."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _

from storefront import content_rule
from storefront.blueprints.admin import bp, overview
from storefront.display import format_date
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.keyset import asked_turn
from storefront.media.pictures import file_key
from storefront.media.storage import private_files
from storefront.moderation import lists, queue
from storefront.moderation.models import ModerationItem
from storefront.people import access
from storefront.people.policy import Action
from storefront.reviews.models import ReviewPhoto
from storefront.written import Written

#: Reasons to send something back, as its writer reads them.
REASONS = ("personal", "outside", "offence", "unfriendly", "off_topic", "picture", "other")


@overview.queue(Action.PAGES_WRITE)
def waiting() -> overview.Queue:
    """How much waits, and since when."""
    count, oldest = lists.counts()["waiting"], lists.oldest_waiting()
    note = (
        _("yang tertua sejak %(date)s", date=format_date(oldest)) if oldest else _("tidak ada yang menunggu")
    )
    return overview.Queue(count, _("tulisan atau foto menunggu"), note, url_for("admin.moderation_list"))


@bp.get("/moderation")
@access.rule(Action.PAGES_WRITE)
def moderation_list() -> ResponseReturnValue:
    """The queue with its first item open, or another list."""
    return _list_page(Written())


@bp.get("/moderation/<int:item_id>")
@access.rule(Action.PAGES_WRITE)
def moderation_item(item_id: int) -> ResponseReturnValue:
    """One item, whatever its state, with every decision on it."""
    return _item_page(item_id, Written())


@bp.post("/moderation/<int:item_id>/<any('approve', 'refuse', 'hold', 'undo'):step>")
@access.rule(Action.PAGES_WRITE)
def moderate(item_id: int, step: str) -> ResponseReturnValue:
    """Decide, and on to the next. Who comes second is told what became of it."""
    form, me = Written(request.form), access.person_id()
    before = lists.item(item_id)
    told_at = lists.told_at(before.item) if before and step == "undo" else None
    version = request.form.get("version", 0, type=int)

    def act() -> ModerationItem:
        if step == "undo":
            return queue.undo(item_id, version, person_id=me)
        return queue.decide(item_id, version, step, person_id=me, note=_note(form, step, item_id))

    if form.done(act) is None:
        return _item_page(item_id, form), form.status
    said = {
        "approve": _("Disetujui."),
        "refuse": _("Tidak ditayangkan; penulisnya membaca alasannya."),
        "hold": _("Ditunda."),
        "undo": _("Keputusan diurungkan."),
    }[step]
    flash(said, "ok")
    if told_at:
        flash(_("Suratnya sudah terkirim sebelum itu."), "warn")
    if step == "undo":
        return redirect(url_for("admin.moderation_item", item_id=item_id), 303)
    shown = form["list"] if form["list"] in lists.LISTS else "waiting"
    # Whoever passed some over goes on from there.
    after = item_id if form["after"] else None
    return redirect(url_for("admin.moderation_list", list=shown if shown != "waiting" else None, after=after), 303)


@bp.get("/moderation/photos/<int:photo_id>")
@access.rule(Action.PAGES_WRITE)
def moderation_photo(photo_id: int) -> ResponseReturnValue:
    """A picture that nobody else may see yet. Raises NotFound."""
    photo = db.session.get(ReviewPhoto, photo_id)
    if photo is None or photo.state != "ready":
        raise NotFound()
    wanted = next((width for width in photo.widths if width >= 640), photo.widths[-1])
    try:
        content = private_files().read(file_key(photo.key, wanted, "webp"))
    except FileNotFoundError as gone:
        raise NotFound() from gone
    response = Response(content, mimetype="image/webp")
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def reason_text(code: str) -> str:
    """A reason to send something back, as its writer reads it."""
    return {
        "personal": _("Memuat data pribadi atau nama orang."),
        "outside": _("Memuat nomor, tautan, atau ajakan membayar di luar toko."),
        "offence": _("Menyinggung perkara seseorang."),
        "unfriendly": _("Bahasanya tidak pantas."),
        "off_topic": _("Tidak tentang karya ini."),
        "picture": _("Fotonya tidak jelas, atau menampakkan orang."),
        "other": "",
    }.get(code, "")


def _note(form: Written, step: str, item_id: int) -> str:
    """What the writer reads: the reason in the language of what they wrote, and what the curator adds."""
    if step != "refuse":
        return ""
    row = lists.item(item_id)
    with force_locale(row.shown.language if row and row.shown else "id"):
        reason = reason_text(form["reason"])
    return " ".join(part for part in (reason, form.line("note")) if part)


def _reasons() -> list[tuple[str, str]]:
    return [(code, reason_text(code) or _("Alasan lain (tulis di bawah)")) for code in REASONS]


def _likely(row: lists.Row) -> str:
    """The reason that is chosen beforehand: what the rule matched."""
    why = set(row.item.reasons)
    if why & {"phone", "account_number", "email", "link"}:
        return "outside"
    if "offence" in why:
        return "offence"
    if why & {"name", "inmate_number", "city"}:
        return "personal"
    return "picture" if row.item.kind == "photo" else "unfriendly"


def _card(row: lists.Row) -> dict[str, object]:
    found = content_rule.find(row.shown.text) if row.shown else []
    return {"row": row, "matches": [match.text for match in found], "likely": _likely(row)}


def _list_page(form: Written) -> str:
    asked = request.args.get("list", "waiting")
    name = asked if asked in lists.LISTS else "waiting"
    page = lists.items(name, asked_turn())
    first = next(iter(page.rows), None) if name in ("waiting", "held") else None
    after = request.args.get("after", type=int) if first else None
    if after is not None:
        first = lists.following(name, after) or first
    return render_template(
        "admin/moderation.html",
        name=name,
        page=page,
        counts=lists.counts(),
        card=_card(first) if first else None,
        rest=[row for row in page.rows if first is None or row.item.id != first.item.id],
        after=after,
        undoable=lists.undoable(access.person_id()),
        reasons=_reasons(),
        form=form,
    )


def _item_page(item_id: int, form: Written) -> str:
    row = lists.item(item_id)
    if row is None:
        raise NotFound()
    return render_template(
        "admin/moderation_item.html",
        card=_card(row),
        history=lists.history(row.item),
        reasons=_reasons(),
        form=form,
    )
