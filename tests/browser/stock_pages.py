"""Pages of the shelf: what was made at once, and stock-takes."""

from __future__ import annotations

from tests.browser.purchase import CLOTH
from tests.browser.sights import Sight, Way, at, found, sent

COORDINATOR, HEAD = "coordinator@demo.test", "head@demo.test"
#: The demo's stock-takes of Pekalongan: number 1 is finished, number 2 is being counted by two people.
TAKE = """SELECT t.number FROM stock_takes t JOIN facilities f ON f.id = t.facility_id AND f.code = 'PKL'
    WHERE t.state = '{}' ORDER BY t.id LIMIT 1"""


def take(state: str, rest: str = "") -> Way:
    """A page of a stock-take in that state."""
    return found(f"/seller/PKL/stock-takes/{{}}{rest}", TAKE.format(state))


STOCK_PAGES = [
    Sight("seller-shelf-low", "seller.products", at("/seller/PKL/products?stock=few_left&sort=available"), COORDINATOR),
    Sight(
        "seller-bulk-refused", "seller.change_several",
        sent(at("/seller/PKL/products"), {"#b-number": "banyak"}, "#ubah-beberapa button"), COORDINATOR, status=422,
    ),
    Sight("seller-stock-undone", "seller.stock", at("/seller/PKL/stock/PKL-BATIK-01?reason=made"), COORDINATOR),
    Sight("seller-stock-read", "seller.stock", at(f"/seller/PKL/stock/{CLOTH.sku}"), HEAD),
    Sight("seller-made", "seller.made", at("/seller/PKL/made"), COORDINATOR),
    Sight(
        "seller-made-refused", "seller.made",
        sent(at("/seller/PKL/made"), {"[data-count] >> nth=0": "tiga"}, "main form[data-once] button"), COORDINATOR,
        status=422,
    ),
    Sight("seller-takes", "seller.take_list", at("/seller/PKL/stock-takes"), COORDINATOR),
    Sight("seller-takes-read", "seller.take_list", at("/seller/PKL/stock-takes?state=finished"), HEAD),
    Sight("seller-take", "seller.take", take("counting"), COORDINATOR),
    Sight("seller-take-row", "seller.take_row", take("counting", "/rows/2"), COORDINATOR),
    Sight("seller-take-sheet", "seller.take_sheet", take("counting", "/sheet?expected=1"), COORDINATOR),
    Sight("seller-take-differences", "seller.take_differences", take("counting", "/differences"), COORDINATOR),
    Sight("seller-take-finished", "seller.take_differences", take("finished", "/differences?show=all"), HEAD),
]  # fmt: skip
NO_STOCK_PAGES = {"seller.take_file", "seller.take_sheet_pdf"}
