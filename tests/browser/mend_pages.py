"""What lay ready and was never collected."""

from __future__ import annotations

from tests.browser.parcel_pages import COORDINATOR
from tests.browser.sights import Sight, found

#: One that has lain ready for weeks; its buyer was reminded.
LEFT = """SELECT f.code, p.id FROM parcels p JOIN facilities f ON f.id = p.facility_id
    WHERE f.code IN ('PKL', 'PLP') AND p.state = 'ready' ORDER BY p.shipped_at LIMIT 1"""
GIVE_UP = found("/seller/{}/parcels/{}/not-collected", LEFT)

MEND_PAGES = [
    Sight("seller-ready-parcel", "seller.parcel", found("/seller/{}/parcels/{}", LEFT), COORDINATOR),
    Sight("seller-not-collected", "seller.new_not_collected", GIVE_UP, COORDINATOR),
]
