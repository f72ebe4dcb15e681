"""What a facility writes and lists: one list of it, and the page on which a listing is written.

One form, one address: `do` says which of its buttons was pressed, and whatever was typed is saved with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.seller import bp
from storefront.blueprints.seller.listing_page import editor, moved
from storefront.display import format_until
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.form_key import is_key, kept_key
from storefront.languages import locale
from storefront.listings import at_once, drafts, options, photos
from storefront.listings.compare import differences
from storefront.listings.form import content_of
from storefront.listings.models import ListingDraft
from storefront.listings.own_list import SORTS, STATES, own_listings
from storefront.listings.typed import blank, blank_variant, kept
from storefront.media.pictures import MAX_BYTES, BadPicture
from storefront.pages import page_number
from storefront.people import access
from storefront.people.policy import Action
from storefront.web import takes_up_to

#: Whole requests with photos; each photo alone may have `pictures.MAX_BYTES`.
LARGEST_BODY = 100 * 1024 * 1024
#: Buttons that bring what was typed to the shop; what saves itself while somebody types does not.
PRESSED = ("save", "preview", "ask", "papers")


@bp.get("/<code>/listings")
@access.rule(Action.LISTINGS_READ)
def listings(code: str) -> ResponseReturnValue:
    """Drafts and products of the facility by state and words."""
    asked = {name: request.args.get(name, "").strip()[:100] for name in ("state", "q", "sort")}
    asked["state"] = asked["state"] if asked["state"] in STATES else ""
    asked["sort"] = asked["sort"] if asked["sort"] in SORTS else "changed"
    found = own_listings(g.facility.id, **asked, page=page_number(), english=locale() == "en")
    return render_template(
        "seller/listings.html",
        found=found,
        asked=asked,
        states=STATES,
        sorts=tuple(SORTS),
        form_key=kept_key(""),
        discarded=request.args.get("discarded", type=int),
        archived=request.args.get("archived", type=int),
    )


@bp.get("/<code>/listings/new")
@access.rule(Action.LISTINGS_WRITE)
def new_listing(code: str) -> ResponseReturnValue:
    """The page of something new; its draft begins with the first save."""
    return editor(None, blank(), form_key=kept_key(""))


@bp.post("/<code>/listings/new")
@access.rule(Action.LISTINGS_WRITE)
@takes_up_to(LARGEST_BODY)
def begin_listing(code: str) -> ResponseReturnValue:
    """Begin a draft with what was typed; the same form begins it once."""
    key = request.form.get("form_key", "")
    content = kept(content_of(request.form, blank()))
    if not is_key(key):
        return editor(None, content, form_key=kept_key(key), refusal=_("Simpan sekali lagi.")), 422
    draft = drafts.begin(g.facility.id, form_key=key, person_id=access.person_id(), content=content)
    return write(draft, draft.version if draft.content == content else 1)


@bp.get("/<code>/listings/<int:draft_id>")
@access.rule(Action.LISTINGS_READ)
def listing(code: str, draft_id: int) -> ResponseReturnValue:
    """A draft; with `?check=1` what is still missing stands beside each field."""
    draft = drafts.own_draft(g.facility.id, draft_id)
    return editor(draft, draft.content, check="check" in request.args)


@bp.post("/<code>/listings/<int:draft_id>")
@access.rule(Action.LISTINGS_WRITE)
@takes_up_to(LARGEST_BODY)
def save_listing(code: str, draft_id: int) -> ResponseReturnValue:
    """Save what was typed, then do what the button says."""
    return write(drafts.own_draft(g.facility.id, draft_id), request.form.get("version", 0, type=int))


def write(draft: ListingDraft, version: int) -> ResponseReturnValue:
    """The one way in which this face writes on a draft."""
    do, _colon, thing = request.form.get("do", "save").partition(":")
    typed = kept(content_of(request.form, draft.content), draft.content)
    errors: dict[str, str] = {}
    try:
        content = changed(typed, do, thing)
    except Invalid as refusal:
        errors |= {name: str(sentence) for name, sentence in refusal.errors.items()}
        content = typed
    who, page = access.person_id(), request.form.get("page", "")[:64] or None
    try:
        draft = drafts.save(g.facility.id, draft.id, version, content, person_id=who, page=page)
    except drafts.DraftMoved as refusal:
        theirs = refusal.draft.content
        if differences(theirs, content):
            db.session.rollback()
            return moved(draft.id, content)
        draft = refusal.draft
    words = photo_words()
    if words:
        photos.describe(draft, words, person_id=who)
    if do in PRESSED:
        told = at_once.change(draft, person_id=who)
        errors |= told.refused
        if told.done:
            flash(_("Langsung berubah di toko: %(skus)s.", skus=", ".join(dict.fromkeys(told.done))), "ok")
    errors |= take_photos(draft, who)
    errors |= photo_act(draft, do, thing, who)
    db.session.commit()
    return answered(draft, do, thing, errors)


def changed(content: dict[str, Any], do: str, thing: str) -> dict[str, Any]:
    """The content after what a button does to its rows. Raises Invalid."""
    form = request.form
    # English names of values follow the Indonesian ones, whatever else is pressed.
    if any(form.get(f"values_en.{n}", "").strip() for n in range(2)):
        content = options.translated(content, [form.get(f"values_en.{n}", "") for n in range(2)])
    if do == "combine":
        return options.combined(content, [form.get(f"values.{n}", "") for n in range(2)])
    if do == "bulk":
        picked = {int(n) for n in form.getlist("pick") if n.isdecimal()}
        return options.filled(content, picked, form.get("bulk_name", ""), form.get("bulk_value", "").strip())
    if do == "add-variant":
        return {**content, "variants": [*content["variants"], blank_variant()]}
    if do == "drop-variant" and thing.isdecimal():
        return options.without(content, int(thing))
    return content


def photo_words() -> dict[int, dict[str, str]]:
    """What was typed about photos, by their ids."""
    words: dict[int, dict[str, str]] = {}
    for name, value in request.form.items():
        parts = name.split(".")
        if len(parts) == 3 and parts[0] == "photo" and parts[1].isdecimal():
            words.setdefault(int(parts[1][:15]), {})[parts[2]] = value
    return words


def take_photos(draft: ListingDraft, who: int) -> dict[str, str]:
    """Take in the files that came with the form; what is wrong with one does not cost the others."""
    faults: list[str] = []
    for file in request.files.getlist("photos"):
        if not file.filename:
            continue
        name = file.filename[-60:]
        content = file.stream.read(MAX_BYTES + 1)
        try:
            photos.add(draft, content, person_id=who)
        except (BadPicture, drafts.DraftWaits) as refusal:
            faults.append(f"{name}: {refusal.message}")
        except Invalid as refusal:
            faults.extend(str(sentence) for sentence in refusal.errors.values())
    return {"photos": " ".join(dict.fromkeys(faults))} if faults else {}


def photo_act(draft: ListingDraft, do: str, thing: str, who: int) -> dict[str, str]:
    """Do what a photo's button says."""
    acts: dict[str, Callable[[int], None]] = {
        "photo-up": lambda photo: photos.step(draft, photo, -1, person_id=who),
        "photo-down": lambda photo: photos.step(draft, photo, 1, person_id=who),
        "photo-turn": lambda photo: photos.turn(draft, photo, person_id=who),
        "photo-drop": lambda photo: photos.remove(draft, photo, person_id=who),
        "photo-back": lambda photo: photos.put_back(draft, photo, person_id=who),
    }
    try:
        if do == "photo-order":
            photos.arrange(draft, [int(n) for n in thing.split(",") if n.isdecimal()], person_id=who)
        elif do in acts and thing.isdecimal():
            acts[do](int(thing[:15]))
    except Invalid as refusal:
        return {name: str(sentence) for name, sentence in refusal.errors.items()}
    return {}


def answered(draft: ListingDraft, do: str, thing: str, errors: dict[str, str]) -> ResponseReturnValue:
    """The answer to a save: for the script, for htmx, or for a browser."""
    here = {"code": g.facility.code, "draft_id": draft.id}
    if do == "autosave":
        address = url_for("seller.listing", **here)
        return jsonify(version=draft.version, saved_at=format_until(draft.changed_at), address=address)
    if request.headers.get("HX-Request") == "true":
        dropped = int(thing) if do == "photo-drop" else None
        return render_template("seller/_listing_photos.html", draft=draft, errors=errors, dropped=dropped, swap=True)
    if errors:
        return editor(draft, draft.content, errors=errors), 422
    if do == "ask":
        return redirect(url_for("seller.listing_review", **here), 303)
    if do == "papers":
        return redirect(url_for("seller.listing_review", **here, _anchor="surat"), 303)
    if do == "preview":
        return redirect(url_for("seller.listing_preview", **here), 303)
    if do == "photo-crop":
        return redirect(url_for("seller.crop_photo", **here, photo_id=int(thing)), 303)
    if do == "save":
        flash(_("Draf tersimpan."), "ok")
        return redirect(url_for("seller.listing", **here, check=1), 303)
    anchor = "foto" if do.startswith("photo") else "varian"
    out = thing if do == "photo-drop" else None
    return redirect(url_for("seller.listing", **here, dropped=out, _anchor=anchor), 303)
