"""Listings on their way to the public, their papers, batches of food and their recall."""

from __future__ import annotations

from tests.browser.sights import Sight, at, found

CURATOR, COORDINATOR, COOK = "curator@demo.test", "coordinator@demo.test", "coordinator2@demo.test"
DRAFT = """SELECT d.id, f.code FROM listing_drafts d JOIN facilities f ON f.id = d.facility_id
    WHERE {} ORDER BY f.code = 'PKL' DESC, d.id LIMIT 1"""
WAITS, RETURNED = DRAFT.format("d.state = 'in_review'"), DRAFT.format("d.state = 'sent_back'")
BATCH = """SELECT b.id, f.code FROM batches b JOIN products p ON p.id = b.product_id
    JOIN facilities f ON f.id = p.facility_id
    WHERE f.code = 'BJB' ORDER BY b.state = 'held' DESC, b.id LIMIT 1"""
PARCEL = """SELECT p.id FROM parcels p JOIN facilities f ON f.id = p.facility_id AND f.code = 'BJB'
    WHERE p.state <> 'waiting'
    ORDER BY EXISTS (SELECT FROM parcel_batches b WHERE b.parcel_id = p.id) DESC, p.id LIMIT 1"""

PUBLISH_PAGES = [
    Sight("admin-listings", "admin.listing_queue", at("/admin/listings"), CURATOR),
    Sight("admin-listing", "admin.listing_item", found("/admin/listings/{}", WAITS), CURATOR),
    Sight("admin-listing-preview", "admin.preview_listing", found("/admin/listings/{}/preview", WAITS), CURATOR),
    Sight("admin-category-needs", "admin.category_needs", at("/admin/categories/needs"), CURATOR),
    Sight("admin-recalls", "admin.recall_list", at("/admin/recalls"), CURATOR),
    Sight("seller-review", "seller.listing_review", found("/seller/PKL/listings/{}/review", RETURNED), COORDINATOR),
    Sight("seller-papers", "seller.papers", at("/seller/BJB/papers"), COOK),
    Sight("seller-batches", "seller.batch_list", at("/seller/BJB/batches?show=all"), COOK),
    Sight("seller-batch", "seller.batch", found("/seller/BJB/batches/{}", BATCH), COOK),
    Sight("seller-batch-buyers", "seller.batch_buyers", found("/seller/BJB/batches/{}/buyers", BATCH), COOK),
    Sight(
        "seller-parcel-batches", "seller.parcel_batches", found("/seller/BJB/parcels/{}/batches", PARCEL), COOK
    ),
]

#: Files, and ways back to a page.
NO_PUBLISH_PAGES = {
    "admin.after_category_needs",
    "admin.listing_paper", "seller.after_paper",
    "seller.after_review_step", "seller.paper_file",
}  # fmt: skip
