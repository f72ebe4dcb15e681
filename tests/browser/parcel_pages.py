"""Packing and sending: the queue, papers for many parcels, pieces that go another way."""

from __future__ import annotations

from tests.browser.sights import Sight, at

COORDINATOR = "coordinator@demo.test"

PARCEL_PAGES = [
    Sight("seller-queue-narrow", "seller.parcels", at("/seller/PKL/parcels?state=received&sort=newest"), COORDINATOR),
    Sight("seller-queue-none", "seller.parcels", at("/seller/PKL/parcels?q=ZZZZ"), COORDINATOR),
    Sight("seller-queue-read", "seller.parcels", at("/seller/PKL/parcels"), "head@demo.test"),
]

NO_PARCEL_PAGES = {"seller.after_steps"}
