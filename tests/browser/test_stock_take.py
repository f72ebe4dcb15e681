"""A stock-take on a narrow phone with a line that breaks, and another with the keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.test_keyboard import skip_to_content, tab_to
from tests.browser.visitor import Visitor

Visit = Callable[..., Visitor]
COORDINATOR = "coordinator@demo.test"
ROWS = """SELECT r.position, v.sku, COALESCE(l.on_hand, 0) AS on_hand, COALESCE(l.on_hand - l.reserved, 0) AS free
    FROM stock_take_rows r JOIN stock_takes t ON t.id = r.stock_take_id JOIN facilities f ON f.id = t.facility_id
    JOIN variants v ON v.id = r.variant_id
    LEFT JOIN stock_levels l ON l.variant_id = v.id AND l.location_id = t.location_id
    WHERE f.code = %s AND t.number = %s ORDER BY r.position"""


def begin(page: Page) -> int:
    """Press the button that begins a stock-take of the whole store; its number."""
    page.locator("form[action$='/stock-takes'] button[type=submit]").press("Enter")
    page.wait_for_url(re.compile(r"/stock-takes/\d+$"))
    return int(page.url.rpartition("/")[2])


def fits(page: Page) -> bool:
    """Whether nothing sticks out of the window sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_a_narrow_phone_counts_through_a_broken_line(visit: Visit) -> None:
    keeper = visit("phone", account=COORDINATOR)
    page = keeper.page
    page.set_viewport_size({"width": 360, "height": 740})
    keeper.go("/seller/PKL/stock-takes")
    assert fits(page)
    number = begin(page)
    rows = keeper.shop.rows(ROWS, "PKL", number)
    assert len(rows) > 3

    # One piece after another: the first row, then a row is skipped.
    page.get_by_role("link", name="Hitung satu per satu").click()
    expect(page.locator("#f-c-1")).to_be_focused()
    assert fits(page)
    page.keyboard.type(str(rows[0]["on_hand"]))
    page.keyboard.press("Enter")
    page.wait_for_url("**/rows/2")

    # The list: what is written while the line is away is sent when it is back, and reading it again loses nothing.
    keeper.go(f"/seller/PKL/stock-takes/{number}")
    assert fits(page)
    expect(page.locator("#f-c-1")).to_have_value(str(rows[0]["on_hand"]))
    page.context.set_offline(True)
    page.locator("#f-c-2").fill(str(rows[1]["on_hand"]))
    page.locator("#f-c-2").press("Enter")
    expect(page.locator("#f-c-3")).to_be_focused()
    expect(page.locator("[data-state]")).to_contain_text("Belum tersimpan")
    page.context.set_offline(False)
    expect(page.locator("#m-2")).to_have_text("Tersimpan")
    missing = next(row for row in rows[2:] if row["free"] > 1)
    page.locator(f"#f-c-{missing['position']}").fill(str(missing["on_hand"] - 1))
    page.locator(f"#f-c-{missing['position']}").blur()
    expect(page.locator("[data-progress]")).to_contain_text(f"3 dari {len(rows)}")
    keeper.go(f"/seller/PKL/stock-takes/{number}")
    expect(page.locator("#f-c-2")).to_have_value(str(rows[1]["on_hand"]))

    page.get_by_role("link", name="Lihat selisih").first.click()
    expect(page.locator(f"#baris-{missing['position']}")).to_contain_text("−1")
    assert fits(page)
    page.get_by_role("button", name="Catat selisih dan selesaikan").click()
    expect(page.locator("main")).to_contain_text("Hitung stok selesai: 1 baris diubah.")
    now = {row["sku"]: row["on_hand"] for row in keeper.shop.rows(ROWS, "PKL", number)}
    assert now == {row["sku"]: row["on_hand"] - (row is missing) for row in rows}


def test_a_sheet_is_typed_in_with_the_keyboard_alone(visit: Visit) -> None:
    keeper = visit("desk", account=COORDINATOR)
    page = keeper.page
    keeper.go("/seller/PLP/stock-takes")
    skip_to_content(keeper)
    tab_to(keeper, "form[action$='/stock-takes'] button[type=submit]")
    number = begin(page)
    rows = keeper.shop.rows(ROWS, "PLP", number)
    skip_to_content(keeper)
    tab_to(keeper, "#f-c-1")
    for row in rows:  # in the order of the sheet
        expect(page.locator(f"#f-c-{row['position']}")).to_be_focused()
        page.keyboard.type(str(row["on_hand"]))
        page.keyboard.press("Enter")
    expect(page.locator(".savebar button")).to_be_focused()
    expect(page.locator("[data-progress]")).to_contain_text(f"{len(rows)} dari {len(rows)}")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator(f"#f-c-{len(rows)}")).to_have_value(str(rows[-1]["on_hand"]))
    counted = keeper.shop.rows(
        """SELECT count(*) AS n, count(DISTINCT c.position) AS rows, max(abs(c.counted - c.expected)) AS off
             FROM stock_counts c JOIN stock_takes t ON t.id = c.stock_take_id JOIN facilities f ON f.id = t.facility_id
            WHERE f.code = 'PLP' AND t.number = %s""",
        number,
    )
    assert counted == [{"n": len(rows), "rows": len(rows), "off": 0}]
