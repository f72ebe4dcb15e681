"""Pictures of reviews: the upload lies in the private store until the worker has made the picture anew without its
EXIF; the picture lies there too until a curator has let it through."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import structlog
from sqlalchemy import func, select

from storefront.extensions import db, defer
from storefront.media import pictures
from storefront.media.pictures import BadPicture, Picture
from storefront.media.storage import private_files, public_files
from storefront.moderation.queue import submit, withdraw
from storefront.reviews.models import Review, ReviewPhoto

log = structlog.get_logger("storefront.reviews")

MOST = 3
FORMATS = ("webp", "avif")


@dataclass(frozen=True)
class Upload:
    """A picture as it was sent, its header judged, with what is to be seen on it."""

    original: bytes
    picture: Picture
    alt: str

    @classmethod
    def of(cls, original: bytes, alt: str) -> Upload:
        """Raises BadPicture."""
        return cls(original, pictures.inspect(original), alt)


def add(review: Review, uploads: list[Upload]) -> None:
    """Keep the uploads after the review's other pictures; the worker makes them. Never commits."""
    last = (
        db.session.scalar(select(func.max(ReviewPhoto.position)).where(ReviewPhoto.review_id == review.id))
        or 0
    )
    for position, upload in enumerate(uploads[: MOST - last], start=last + 1):
        # A name of its own: it can be taken away without taking another picture along.
        name = secrets.token_hex(17)
        original = f"reviews/{name[:2]}/{name[2:]}"
        private_files().write(original, upload.original)
        photo = ReviewPhoto(
            review_id=review.id,
            position=position,
            original=original,
            key=f"photos/{name[:2]}/{name[2:]}",
            widths=list(upload.picture.widths),
            width=upload.picture.width,
            height=upload.picture.height,
            alt=upload.alt,
        )
        db.session.add(photo)
        db.session.flush()
        defer("reviews.make_photo", photo_id=photo.id)


def make(photo_id: int) -> None:
    """Decode, encode anew and store; then it waits for a curator. Never commits. Runs again safely."""
    photo = db.session.get(ReviewPhoto, photo_id, with_for_update=True, populate_existing=True)
    if photo is None or photo.state != "new" or photo.original is None:
        return
    store = private_files()
    original, photo.original = photo.original, None
    try:
        content = store.read(original)
        made = pictures.encode(content)
        stem = pictures.key_of(content)
    except (BadPicture, FileNotFoundError):
        log.warning("review photo broken", photo=photo.id)
        photo.state = "broken"
    else:
        for key, file in made.items():
            store.write(photo.key + key.removeprefix(stem), file)
        photo.state = "ready"
        review = db.session.get_one(Review, photo.review_id)
        submit("photo", photo.id, facility_id=review.facility_id, reasons=["new_photo"])
    db.session.flush()


def forget_original(key: str) -> None:
    """After the commit of `make`: the upload with its EXIF goes."""
    private_files().delete(key)


def show(photo_id: int, is_public: bool) -> None:
    """Put the picture's files into the public store, or have them taken away from there. Never commits."""
    photo = db.session.get(ReviewPhoto, photo_id, with_for_update=True, populate_existing=True)
    if photo is None or photo.state != "ready":
        return
    if is_public:
        for key in file_keys(photo):
            public_files().write(key, private_files().read(key))
    else:
        defer("reviews.hide_photo", photo_id=photo.id)
    photo.is_shown = is_public
    db.session.flush()


def hide(photo_id: int) -> None:
    """Take the files of a picture that is shown no more out of the public store. Never commits."""
    photo = db.session.get(ReviewPhoto, photo_id, with_for_update=True, populate_existing=True)
    if photo is not None and not photo.is_shown:
        for key in file_keys(photo):
            public_files().delete(key)


def remove(photo: ReviewPhoto) -> None:
    """Delete a picture; its files go by a job once that is certain. Never commits."""
    kept = [photo.original] if photo.original else []
    defer("reviews.delete_files", keys=[*file_keys(photo), *kept])
    withdraw("photo", photo.id)
    db.session.delete(photo)
    db.session.flush()


def file_keys(photo: ReviewPhoto) -> list[str]:
    """The keys of all its files."""
    return [pictures.file_key(photo.key, width, form) for width in photo.widths for form in FORMATS]
