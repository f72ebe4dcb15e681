"""Pages of imports of listings."""

from __future__ import annotations

from tests.browser.sights import Sight, at, found

COORDINATOR = "coordinator@demo.test"
ENDED = """SELECT i.id FROM listing_imports i JOIN facilities f ON f.id = i.facility_id
    WHERE f.code = 'PKL' AND i.state = 'done' ORDER BY i.id LIMIT 1"""
WAITS = ENDED.replace("'done'", "'ready'")

IMPORT_PAGES = [
    Sight("seller-imports", "seller.import_list", at("/seller/PKL/import"), COORDINATOR),
    Sight("seller-import-ended", "seller.import_page", found("/seller/PKL/import/{0}", ENDED), COORDINATOR),
    Sight("seller-import-dry-run", "seller.import_page", found("/seller/PKL/import/{0}", WAITS), COORDINATOR),
]

#: Files, a fragment, and the way back from a step.
NO_IMPORT_PAGES = {
    "seller.import_template", "seller.export_listings", "seller.import_progress", "seller.import_errors",
    "seller.import_file",
}  # fmt: skip
