"""Jobs of marketplaces."""

from __future__ import annotations

from procrastinate import RetryStrategy

from storefront.extensions import jobs
from storefront.marketplaces import files


@jobs.task(name="marketplaces.book_file", retry=RetryStrategy(max_attempts=10, wait=2, linear_wait=10))
def book_file_job(file_id: int) -> None:
    """Book the orders of a file; what is booked already stays as it is."""
    files.run(file_id)
