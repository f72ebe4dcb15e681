"""Photos of a draft: sent one by one with progress, looked at while the worker makes them ready, and cut."""

from __future__ import annotations

import io

from flask import Response, g, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.seller import bp
from storefront.blueprints.seller.listings import LARGEST_BODY, take_photos
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.listings import photos
from storefront.listings.drafts import own_draft
from storefront.listings.models import DraftPhoto, ListingDraft
from storefront.media import pictures
from storefront.media.storage import private_files, public_files
from storefront.people import access
from storefront.people.policy import Action
from storefront.web import takes_up_to

#: Longest side of the picture on which somebody cuts, in pixels.
SHOWN = 900
EDGES = ("left", "top", "right", "bottom")


@bp.post("/<code>/listings/<int:draft_id>/photos")
@access.rule(Action.LISTINGS_WRITE)
@takes_up_to(LARGEST_BODY)
def add_photos(code: str, draft_id: int) -> ResponseReturnValue:
    """Take in photos, sent by the script one at a time; the answer is the part of the page that shows them."""
    draft = own_draft(g.facility.id, draft_id, lock=True)
    errors = take_photos(draft, access.person_id())
    db.session.commit()
    page = render_template("seller/_listing_photos.html", draft=draft, errors=errors, swap=True)
    return page, 422 if errors else 200


@bp.get("/<code>/listings/<int:draft_id>/photos/<int:photo_id>")
@access.rule(Action.LISTINGS_READ)
def photo_state(code: str, draft_id: int, photo_id: int) -> ResponseReturnValue:
    """How one photo stands, for the page that waits for it."""
    draft, photo = own(draft_id, photo_id)
    return render_template("seller/_listing_photo.html", draft=draft, photo=photo)


@bp.get("/<code>/listings/<int:draft_id>/photos/<int:photo_id>/original")
@access.rule(Action.LISTINGS_READ)
def photo_original(code: str, draft_id: int, photo_id: int) -> Response:
    """The whole photo, turned but not cut, small and without anything hidden in it."""
    _draft, photo = own(draft_id, photo_id)
    try:
        content = pictures.turned_copy(original_of(photo), photo.turned, SHOWN)
    except (FileNotFoundError, pictures.BadPicture):
        raise NotFound() from None
    answer = send_file(io.BytesIO(content), mimetype="image/jpeg")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


@bp.get("/<code>/listings/<int:draft_id>/photos/<int:photo_id>/crop")
@access.rule(Action.LISTINGS_WRITE)
def crop_photo(code: str, draft_id: int, photo_id: int) -> ResponseReturnValue:
    """The page on which a photo is cut: by a frame, by four sliders, or to a shape."""
    draft, photo = own(draft_id, photo_id)
    return crop_page(draft, photo, {})


@bp.post("/<code>/listings/<int:draft_id>/photos/<int:photo_id>/crop")
@access.rule(Action.LISTINGS_WRITE)
def save_crop(code: str, draft_id: int, photo_id: int) -> ResponseReturnValue:
    """Cut the photo; it is made anew from its original."""
    draft = own_draft(g.facility.id, draft_id, lock=True)
    photo = photos.own_photo(draft, photo_id)
    try:
        photos.cut(draft, photo_id, asked_crop(photo), person_id=access.person_id())
    except Invalid as refusal:
        db.session.rollback()
        draft, photo = own(draft_id, photo_id)
        return crop_page(draft, photo, {name: str(text) for name, text in refusal.errors.items()}), 422
    db.session.commit()
    return redirect(url_for("seller.listing", code=code, draft_id=draft_id, _anchor="foto"), 303)


def asked_crop(photo: DraftPhoto) -> tuple[int, int, int, int] | None:
    """The part that the form names: all of it, a shape, or four edges in thousandths. Raises Invalid."""
    shape = request.form.get("shape", "free")
    if shape == "all":
        return None
    if shape in photos.SHAPES:
        content = original_of(photo)
        whole = pictures.inspect(content, pictures.Edit(photo.turned))
        side = request.form.get("side", "middle")
        return photos.shaped(whole.width, whole.height, shape, side if side in photos.SIDES else "middle")
    edges = [request.form.get(name, "") for name in EDGES]
    if not all(edge.isdecimal() and len(edge) <= 4 for edge in edges):
        raise Invalid({"crop": _("Tulis keempat sisi dengan angka 0 sampai 1000.")})
    left, top, right, bottom = map(int, edges)
    return left, top, right, bottom


def original_of(photo: DraftPhoto) -> bytes:
    """The photo's original; the largest file of one that was listed before. Raises FileNotFoundError."""
    if photo.original_key:
        return private_files().read(photo.original_key)
    assert photo.key
    assert photo.widths
    return public_files().read(pictures.file_key(photo.key, photo.widths[-1], "webp"))


def own(draft_id: int, photo_id: int) -> tuple[ListingDraft, DraftPhoto]:
    """The facility's own draft and a photo of it. Raises NotFound for another's."""
    draft = own_draft(g.facility.id, draft_id)
    return draft, photos.own_photo(draft, photo_id)


def crop_page(draft: ListingDraft, photo: DraftPhoto, errors: dict[str, str]) -> str:
    crop = [request.form.get(name, "") for name in EDGES] if errors else (photo.crop or [0, 0, 1000, 1000])
    edges = dict(zip(EDGES, crop, strict=True))
    return render_template("seller/listing_crop.html", draft=draft, shot=photo, edges=edges, errors=errors)
