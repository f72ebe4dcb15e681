"""A product's photos: made ready, stored, and written down."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import column, delete, func, insert, select, table, update

from storefront.extensions import db
from storefront.media import pictures
from storefront.media.pictures import UNTOUCHED, Edit, Picture
from storefront.media.storage import public_files

#: The table belongs to the catalogue, a room above this one; here its columns are known, not its meaning.
photos = table(
    "photos",
    *[column(name) for name in ("id", "product_id", "position", "key", "widths", "width", "height", "tint")],
    column("alt"),
    column("alt_en"),
)
MAX_PHOTOS = 12


class TooManyPhotos(pictures.BadPicture):
    code = "too_many_photos"
    message = _("Satu karya memuat paling banyak 12 foto. Hapus salah satu dulu.")


def store_picture(original: bytes, edit: Edit = UNTOUCHED) -> Picture:
    """Make all files of a photo and store them; what is there already is not made again. Raises BadPicture."""
    picture = pictures.inspect(original, edit)
    store = public_files()
    # The smallest WebP is written last: where it is, the set is whole.
    if not store.exists(pictures.file_key(picture.key, picture.widths[0], "webp")):
        files = pictures.encode(original, edit)
        last = pictures.file_key(picture.key, picture.widths[0], "webp")
        for key in sorted(files, key=lambda key: key == last):
            store.write(key, files[key])
    return picture


def add_photo(
    product_id: int,
    original: bytes,
    alt: str,
    alt_en: str = "",
    tint: str = "c1",
    position: int | None = None,
) -> int:
    """Add a photo to a product, after its others unless a position is given; returns the photo's id.

    `alt` says what is to be seen; `tint` is the ground behind a cut-out picture (`c1` … `c4`). Never commits;
    the files stay even when the caller's transaction does not. Raises BadPicture.
    """
    picture = store_picture(original)
    if position is None:
        count, last = db.session.execute(
            select(func.count(), func.max(photos.c.position)).where(photos.c.product_id == product_id)
        ).one()
        if count >= MAX_PHOTOS:
            raise TooManyPhotos()
        position = 0 if last is None else last + 1
    values: dict[str, Any] = {
        "product_id": product_id,
        "position": position,
        "key": picture.key,
        "widths": list(picture.widths),
        "width": picture.width,
        "height": picture.height,
        "tint": tint,
        "alt": alt,
        "alt_en": alt_en,
    }
    photo_id: int = db.session.execute(insert(photos).values(values).returning(photos.c.id)).scalar_one()
    return photo_id


def remove_photo(photo_id: int, product_id: int) -> bool:
    """Take a photo off its product; False when it has no such photo. Never commits.

    The files stay: another product may show the same photo, and cached pages still name them.
    """
    gone = db.session.execute(
        delete(photos)
        .where(photos.c.id == photo_id, photos.c.product_id == product_id)
        .returning(photos.c.position)
    ).scalar_one_or_none()
    if gone is None:
        return False
    db.session.execute(
        update(photos)
        .where(photos.c.product_id == product_id, photos.c.position > gone)
        .values(position=photos.c.position - 1)
    )
    return True
