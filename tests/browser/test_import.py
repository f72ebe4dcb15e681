"""A file of listings from a phone: uploaded, looked at, run, its faults taken away and put right."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.import_pages import COORDINATOR
from tests.browser.visitor import Visitor
from tests.listing_files import csv_of

Visit = Callable[..., Visitor]
TIMEOUT = 30_000


def test_listings_come_from_a_file_on_a_phone(visit: Visit) -> None:
    visitor = visit("phone", account=COORDINATOR)
    page, shop = visitor.page, visitor.shop
    [facility] = shop.rows(
        """SELECT w.name AS workshop, c.slug AS category FROM facilities f JOIN workshops w ON w.facility_id = f.id
             CROSS JOIN (SELECT slug FROM categories ORDER BY id LIMIT 1) c
            WHERE f.code = 'PKL' ORDER BY w.id LIMIT 1"""
    )
    key = secrets.token_hex(4)
    row = {"Bengkel": facility["workshop"], "Kategori": facility["category"], "Berat (gram)": "200"}
    rows = [
        {"Kode karya": f"a-{key}", "Nama karya": f"Tas {key}", "Harga": "Rp 85.000,-", **row},
        {"Kode karya": f"b-{key}", "Nama karya": f"Syal {key}", "Harga": "mahal", **row},
    ]
    visitor.go("/seller/PKL/import")
    page.locator("#f-file").set_input_files(
        {"name": "dari-ponsel.csv", "mimeType": "text/csv", "buffer": csv_of(rows)}
    )
    with page.expect_navigation():
        page.get_by_role("button", name=visitor.says("Unggah dan periksa")).click()
    # The page turns by itself once the worker has read the file.
    run = page.get_by_role("button", name=visitor.says("Jalankan"), exact=True)
    expect(run).to_be_visible(timeout=TIMEOUT)
    expect(page.locator(".changes").last).to_contain_text(
        visitor.says("Tulis harga dalam rupiah, dari 1 sampai satu miliar.")
    )
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert shop.value("SELECT count(*) FROM listing_drafts WHERE content->>'title' = %s", f"Tas {key}") == 0
    with page.expect_navigation():
        run.click()
    faulty = page.get_by_role("link", name=visitor.says("Baris bermasalah"))
    expect(faulty).to_be_visible(timeout=TIMEOUT)
    assert shop.value("SELECT count(*) FROM listing_drafts WHERE content->>'title' = %s", f"Tas {key}") == 1
    with page.expect_download() as download:
        faulty.click()
    text = Path(download.value.path()).read_text("utf-8-sig")
    assert f"b-{key}" in text
    assert f"a-{key}" not in text
    again = text.replace("mahal", "95000").encode()
    visitor.go("/seller/PKL/import")
    page.locator("#f-file").set_input_files({"name": "lagi.csv", "mimeType": "text/csv", "buffer": again})
    with page.expect_navigation():
        page.get_by_role("button", name=visitor.says("Unggah dan periksa")).click()
    expect(run).to_be_visible(timeout=TIMEOUT)
    expect(page.locator(".pill--made")).to_have_count(1)
    assert visitor.trouble == []
