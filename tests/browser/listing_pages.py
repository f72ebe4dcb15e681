"""Pages on which a facility writes its listings."""

from __future__ import annotations

from tests.browser.sights import Sight, at, found

COORDINATOR = "coordinator@demo.test"
DRAFT = """SELECT d.id FROM listing_drafts d JOIN facilities f ON f.id = d.facility_id
    WHERE f.code = 'PKL' AND {} ORDER BY d.id LIMIT 1"""
HERE = "/seller/PKL/listings/{}"
PHOTO = """SELECT d.id, p.id AS photo FROM draft_photos p JOIN listing_drafts d ON d.id = p.draft_id
    JOIN facilities f ON f.id = d.facility_id WHERE f.code = 'PKL' AND d.state = 'sent_back' LIMIT 1"""
SENT_BACK, CHANGED, BEGUN = (
    DRAFT.format(where)
    for where in ("d.state = 'sent_back'", "d.product_id IS NOT NULL", "d.content->>'title' LIKE 'Dompet%'")
)

LISTING_PAGES = [
    Sight("seller-listings", "seller.listings", at("/seller/PKL/listings"), COORDINATOR),
    Sight("seller-listings-found", "seller.listings", at("/seller/PKL/listings?q=batik&sort=title"), COORDINATOR),
    Sight("seller-listing-new", "seller.new_listing", at("/seller/PKL/listings/new"), COORDINATOR),
    Sight("seller-listing-begun", "seller.listing", found(HERE + "?check=1", BEGUN), COORDINATOR),
    Sight("seller-listing-sent-back", "seller.listing", found(HERE, SENT_BACK), COORDINATOR),
    Sight("seller-listing-published", "seller.listing", found(HERE, CHANGED), COORDINATOR),
    Sight("seller-listing-read", "seller.listing", found(HERE, SENT_BACK), "head@demo.test"),
    Sight("seller-listing-preview", "seller.listing_preview", found(HERE + "/preview", SENT_BACK), COORDINATOR),
    Sight("seller-listing-missing", "seller.listing_preview", found(HERE + "/preview", BEGUN), COORDINATOR),
    Sight("seller-listing-crop", "seller.crop_photo", found(HERE + "/photos/{}/crop", PHOTO), COORDINATOR),
]

#: Parts of pages, and pictures.
NO_LISTING_PAGES = {"seller.photo_state", "seller.photo_original"}
