"""The whole list of places for a module's tests: loaded once, put back with everything else."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from storefront.embedded import OWNER
from storefront.shipping import load_places
from storefront.shipping.load_places import Counts
from tests.clones import Clone


@pytest.fixture(scope="module")
def places(clone: Clone) -> Iterator[Counts]:
    """Every city, district and postal code of the country is in this worker's database."""
    with psycopg.connect(clone.addresses[OWNER]) as owner:
        counts = load_places.load(owner)
    clone.keep()
    yield counts
    with psycopg.connect(clone.addresses[OWNER]) as owner:
        owner.execute("DELETE FROM cities")
        owner.execute("DELETE FROM place_versions")
    clone.keep()
