"""Photos of drafts that came with an import are made ready by the worker."""

from __future__ import annotations

from storefront.extensions import db
from storefront.listings.models import DraftPhoto
from storefront.media.photos import store_picture
from storefront.media.pictures import BadPicture
from storefront.media.storage import private_files


def prepare_photo(photo_id: int) -> None:
    """Make a waiting photo ready, or note why it is refused. Never commits."""
    photo = db.session.get(DraftPhoto, photo_id, with_for_update=True, populate_existing=True)
    if photo is None or photo.state != "waiting" or photo.original_key is None:
        return
    try:
        picture = store_picture(private_files().read(photo.original_key))
    except BadPicture as refusal:
        photo.state, photo.fault = "refused", str(refusal.message)[:300]
        return
    photo.key, photo.widths = picture.key, list(picture.widths)
    photo.width, photo.height, photo.state = picture.width, picture.height, "ready"
