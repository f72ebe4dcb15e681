"""Background jobs of reviews."""

from __future__ import annotations

from procrastinate import RetryStrategy

from storefront.extensions import db, jobs
from storefront.media.storage import private_files, public_files
from storefront.reviews import pictures
from storefront.reviews.models import ReviewPhoto


@jobs.task(name="reviews.make_photo", retry=RetryStrategy(max_attempts=10, wait=5, linear_wait=30))
def make_photo(photo_id: int) -> None:
    """Make a picture out of what a buyer sent, without its EXIF."""
    photo = db.session.get(ReviewPhoto, photo_id)
    original = photo.original if photo else None
    pictures.make(photo_id)
    db.session.commit()
    if original:
        pictures.forget_original(original)


@jobs.task(name="reviews.hide_photo", retry=RetryStrategy(max_attempts=10, wait=5, linear_wait=30))
def hide_photo(photo_id: int) -> None:
    """A curator has hidden a picture: its files leave the public store."""
    pictures.hide(photo_id)
    db.session.commit()


@jobs.task(name="reviews.delete_files", retry=RetryStrategy(max_attempts=10, wait=5, linear_wait=30))
def delete_files(keys: list[str]) -> None:
    """Files of a picture that is no more."""
    for key in keys:
        public_files().delete(key)
        private_files().delete(key)
