"""Packing and sending: the queue, papers for many parcels, pieces that go another way."""

from __future__ import annotations

from tests.browser.sights import Sight, at, found, sent

COORDINATOR = "coordinator@demo.test"

BATCH = """SELECT f.code, b.id FROM label_batches b JOIN facilities f ON f.id = b.facility_id
    WHERE f.code IN ('PKL', 'PLP') ORDER BY b.id LIMIT 1"""
#: One of which a part follows later, with more than one piece still in it if there is such a one.
SPLIT = """SELECT f.code, p.id FROM parcels p JOIN facilities f ON f.id = p.facility_id
    JOIN parcels s ON s.split_from = p.id WHERE f.code IN ('PKL', 'PLP') AND p.state = 'to_pack'
    ORDER BY (SELECT sum(quantity) FROM parcel_lines WHERE parcel_id = p.id) DESC LIMIT 1"""
SEVERAL = """SELECT f.code, p.id FROM parcels p JOIN facilities f ON f.id = p.facility_id
    WHERE f.code IN ('PKL', 'PLP') AND p.state = 'to_pack'
    ORDER BY (SELECT sum(quantity) FROM parcel_lines WHERE parcel_id = p.id) DESC, p.id LIMIT 1"""
CANNOT = found("/seller/{}/parcels/{}/cannot-fulfil", SPLIT)
SENT = """SELECT f.code, p.id FROM parcels p JOIN facilities f ON f.id = p.facility_id
    WHERE f.code IN ('PKL', 'PLP') AND p.state = 'shipped' ORDER BY p.id DESC LIMIT 1"""
TRIED = sent(
    at("/seller/PKL/parcels/tracking"), {"#f-rows": "KB-0000-0000/1\tJNE\tCONTOH1\nbukan nomor"}, "[value=check]"
)

PARCEL_PAGES = [
    Sight("seller-queue-narrow", "seller.parcels", at("/seller/PKL/parcels?state=received&sort=newest"), COORDINATOR),
    Sight("seller-queue-none", "seller.parcels", at("/seller/PKL/parcels?q=ZZZZ"), COORDINATOR),
    Sight("seller-tracking", "seller.tracking", at("/seller/PKL/parcels/tracking"), COORDINATOR),
    Sight("seller-tracking-tried", "seller.save_tracking", TRIED, COORDINATOR),
    Sight("seller-labels", "seller.label_batches", at("/seller/PKL/labels"), COORDINATOR),
    Sight("seller-label-batch", "seller.label_batch", found("/seller/{}/labels/{}", BATCH), COORDINATOR),
    Sight("seller-split", "seller.new_split", found("/seller/{}/parcels/{}/split", SEVERAL), COORDINATOR),
    Sight("seller-split-parcel", "seller.parcel", found("/seller/{}/parcels/{}", SPLIT), COORDINATOR),
    Sight("seller-cannot", "seller.new_cannot_fulfil", CANNOT, COORDINATOR),
    Sight("seller-return", "seller.new_return", found("/seller/{}/parcels/{}/return", SENT), COORDINATOR),
    Sight("seller-queue-read", "seller.parcels", at("/seller/PKL/parcels"), "head@demo.test"),
]

NO_PARCEL_PAGES = {
    "seller.slips_pdf", "seller.slip_pdf",
    "seller.pick_list_pdf",
}  # fmt: skip
