"""Background jobs of listings."""

from __future__ import annotations

from procrastinate import RetryStrategy

from storefront.extensions import db, jobs
from storefront.listings import photos


@jobs.task(name="listings.prepare_photo", retry=RetryStrategy(max_attempts=8, wait=2, linear_wait=20))
def prepare_photo(photo_id: int) -> None:
    """Make a photo's files: one at a time, they take memory."""
    photos.prepare(photo_id)
    db.session.commit()
