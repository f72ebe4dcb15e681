"""Photos of a draft: taken in, turned, cut, put in order, taken out and back. The worker makes their files.

The original is kept as a private file for as long as its draft may need it; what people see is made from it anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select, text

from storefront.errors import Invalid, NotFound
from storefront.extensions import db, defer
from storefront.listings.drafts import OPEN, DraftWaits, touched
from storefront.listings.listing import MOST_PHOTOS
from storefront.listings.models import DraftPhoto, ListingDraft
from storefront.media import faces, pictures
from storefront.media.photos import store_picture
from storefront.media.pictures import BadPicture, Edit
from storefront.media.storage import private_files, public_files

TINTS = ("c1", "c2", "c3", "c4")
LONGEST_ALT = 250
#: Shapes that a photo is cut to without a pointer: width to height.
SHAPES = {"square": (1, 1), "landscape": (4, 3), "portrait": (3, 4)}
#: Which part stays, as a share of what is cut away before it.
SIDES = {"start": 0, "middle": 500, "end": 1000}


def own_photo(draft: ListingDraft, photo_id: int, *, lock: bool = False) -> DraftPhoto:
    """A photo of this draft, also one that was taken out. Raises NotFound."""
    statement = select(DraftPhoto).where(DraftPhoto.id == photo_id, DraftPhoto.draft_id == draft.id)
    photo = db.session.scalar(statement.with_for_update() if lock else statement)
    if photo is None:
        raise NotFound()
    return photo


def add(draft: ListingDraft, original: bytes, *, person_id: int) -> DraftPhoto:
    """Take in a photo at the end; the same one sent again is the one that is there. Never commits.

    The file is judged by its header at once, and made ready by the worker. The caller has locked the draft. Raises
    BadPicture with a sentence, Invalid when there are too many, DraftWaits.
    """
    _open(draft)
    key = f"originals/{draft.id}/{hashlib.sha256(original).hexdigest()}"
    known = db.session.scalar(
        select(DraftPhoto).where(DraftPhoto.draft_id == draft.id, DraftPhoto.original_key == key)
    )
    if known is not None and known.position is not None:
        return known
    count, last = _filled(draft)
    if count >= MOST_PHOTOS:
        raise Invalid({"photos": _("Satu karya memuat paling banyak 12 foto. Hapus salah satu dulu.")})
    if known is not None:
        known.position = last + 1
    else:
        pictures.inspect(original)
        private_files().write(key, original)
        known = DraftPhoto(draft_id=draft.id, position=last + 1, original_key=key, uploaded_by=person_id)
        db.session.add(known)
        db.session.flush()
        _ask_worker(known)
    _changed(draft, person_id)
    return known


def _filled(draft: ListingDraft) -> tuple[int, int]:
    count, last = db.session.execute(
        select(func.count(DraftPhoto.position), func.max(DraftPhoto.position)).where(DraftPhoto.draft_id == draft.id)
    ).one()
    return count, last or 0


def _open(draft: ListingDraft) -> None:
    if draft.state not in OPEN:
        raise DraftWaits()


def _changed(draft: ListingDraft, person_id: int) -> None:
    touched(draft, person_id)
    db.session.expire(draft, ["photos"])


def _ask_worker(photo: DraftPhoto) -> None:
    defer("listings.prepare_photo", photo_id=photo.id, lock="pictures")


def describe(draft: ListingDraft, words: dict[int, dict[str, str]], *, person_id: int) -> None:
    """Keep what was typed about photos: `alt`, `alt_en`, `tint` by the photo's id. Never commits. Raises DraftWaits."""
    changed = False
    for photo in draft.photos:
        typed = words.get(photo.id, {})
        values: dict[str, str] = {
            name: typed[name][:LONGEST_ALT] for name in ("alt", "alt_en") if name in typed
        }
        if typed.get("tint") in TINTS:
            values["tint"] = typed["tint"]
        for name, value in values.items():
            if getattr(photo, name) != value:
                setattr(photo, name, value)
                changed = True
    if changed:
        _open(draft)
        touched(draft, person_id)


def turn(draft: ListingDraft, photo_id: int, *, person_id: int) -> None:
    """A quarter clockwise. Never commits. Raises NotFound, DraftWaits, Invalid."""
    photo = _with_original(draft, photo_id)
    photo.turned = (photo.turned + 90) % 360
    if photo.crop:
        left, top, right, bottom = photo.crop
        photo.crop = [1000 - bottom, left, 1000 - top, right]
    _again(draft, photo, person_id)


def cut(draft: ListingDraft, photo_id: int, crop: Sequence[int] | None, *, person_id: int) -> None:
    """Show a part of the photo: left, top, right, bottom in thousandths; None: all of it. Never commits.

    Raises NotFound, DraftWaits, Invalid.
    """
    photo = _with_original(draft, photo_id)
    if crop is not None:
        left, top, right, bottom = crop
        if not (0 <= left < right <= 1000 and 0 <= top < bottom <= 1000):
            raise Invalid({"crop": _("Sisi kiri harus lebih kecil dari kanan, dan atas lebih kecil dari bawah.")})
        crop = None if list(crop) == [0, 0, 1000, 1000] else list(crop)
    if photo.original_key:
        try:
            edit = Edit(photo.turned, tuple(crop) if crop else None)  # type: ignore[arg-type]
            pictures.inspect(private_files().read(photo.original_key), edit)
        except BadPicture as refusal:
            raise Invalid({"crop": str(refusal.message)}) from refusal
    photo.crop = list(crop) if crop else None
    _again(draft, photo, person_id)


def shaped(width: int, height: int, shape: str, side: str) -> tuple[int, int, int, int]:
    """The crop that gives a photo of this size a shape of `SHAPES`, with the part at `side` kept."""
    across, down = SHAPES[shape]
    share = SIDES[side]
    if width * down > height * across:
        kept = 1000 * height * across // (down * width)
        left = (1000 - kept) * share // 1000
        return left, 0, left + kept, 1000
    kept = 1000 * width * down // (across * height)
    top = (1000 - kept) * share // 1000
    return 0, top, 1000, top + kept


def _with_original(draft: ListingDraft, photo_id: int) -> DraftPhoto:
    """A photo that can be made anew; one that was listed before keeps its largest file as original."""
    _open(draft)
    photo = own_photo(draft, photo_id, lock=True)
    if photo.state == "refused":
        raise Invalid({"photos": photo.fault})
    if photo.original_key is None:
        assert photo.key
        assert photo.widths
        content = public_files().read(pictures.file_key(photo.key, photo.widths[-1], "webp"))
        photo.original_key = f"originals/{draft.id}/{hashlib.sha256(content).hexdigest()}"
        private_files().write(photo.original_key, content)
    return photo


def _again(draft: ListingDraft, photo: DraftPhoto, person_id: int) -> None:
    photo.state = "waiting"
    db.session.flush()
    _ask_worker(photo)
    _changed(draft, person_id)


def arrange(draft: ListingDraft, ids: Sequence[int], *, person_id: int) -> None:
    """Put the photos in this order; those not named follow as they stood. Never commits. Raises DraftWaits."""
    _open(draft)
    there = {photo.id: photo for photo in draft.photos}
    order = [there.pop(photo_id) for photo_id in dict.fromkeys(ids) if photo_id in there] + list(there.values())
    if [photo.position for photo in order] == list(range(1, len(order) + 1)):
        return
    db.session.execute(text("SET CONSTRAINTS draft_photos_draft_id_position_key DEFERRED"))
    for position, photo in enumerate(order, start=1):
        photo.position = position
    db.session.flush()
    _changed(draft, person_id)


def step(draft: ListingDraft, photo_id: int, by: int, *, person_id: int) -> None:
    """One place forward (-1) or back (+1). Never commits. Raises NotFound, DraftWaits."""
    ids = [photo.id for photo in draft.photos]
    if photo_id not in ids:
        raise NotFound()
    place = ids.index(photo_id)
    ids.insert(max(0, place + by), ids.pop(place))
    arrange(draft, ids, person_id=person_id)


def remove(draft: ListingDraft, photo_id: int, *, person_id: int) -> None:
    """Take a photo out; it can be put back. Never commits. Raises NotFound, DraftWaits."""
    _open(draft)
    own_photo(draft, photo_id, lock=True).position = None
    db.session.flush()
    db.session.expire(draft, ["photos"])
    arrange(draft, [], person_id=person_id)
    _changed(draft, person_id)


def put_back(draft: ListingDraft, photo_id: int, *, person_id: int) -> None:
    """Put back a photo that was taken out, at the end. Never commits. Raises NotFound, DraftWaits, Invalid."""
    _open(draft)
    photo = own_photo(draft, photo_id, lock=True)
    if photo.position is None:
        count, last = _filled(draft)
        if count >= MOST_PHOTOS:
            raise Invalid({"photos": _("Satu karya memuat paling banyak 12 foto. Hapus salah satu dulu.")})
        photo.position = last + 1
        db.session.flush()
        _changed(draft, person_id)


def prepare(photo_id: int) -> None:
    """Make a waiting photo's files and look for faces; refused with a sentence when it cannot be. For the worker.

    Done twice it is done once: the files' names come from what they show. Never commits.
    """
    photo = db.session.get(DraftPhoto, photo_id)
    if photo is None or photo.state != "waiting" or photo.original_key is None:
        return
    turned, crop, original_key = photo.turned, photo.crop, photo.original_key
    db.session.rollback()  # pictures take their time: no transaction stays open meanwhile
    edit = Edit(turned, tuple(crop) if crop else None)  # type: ignore[arg-type]
    original = private_files().read(original_key)
    values: dict[str, Any]
    try:
        picture = store_picture(original, edit)
        seen = faces.count(original, edit)
    except BadPicture as refusal:
        values = {"state": "refused", "fault": str(refusal.message)[:300]}
    else:
        values = {
            "state": "ready",
            "fault": "",
            "faces": seen,
            "key": picture.key,
            "widths": list(picture.widths),
            "width": picture.width,
            "height": picture.height,
        }
    photo = db.session.get(DraftPhoto, photo_id, with_for_update=True, populate_existing=True)
    # Turned again meanwhile: another job makes that.
    if photo is None or (photo.turned, photo.crop) != (turned, crop) or photo.state != "waiting":
        return
    for name, value in values.items():
        setattr(photo, name, value)
    db.session.flush()
