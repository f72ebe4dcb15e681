"""Finance in a browser: a figure leads to its lines and to a real file, and sums stand still."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.visitor import Visitor

FINANCE = "finance@demo.test"
Visit = Callable[..., Visitor]


def test_a_figure_leads_to_its_lines_and_their_export(visit: Visit, tmp_path: Path) -> None:
    finance = visit("desk", account=FINANCE)
    page = finance.page
    finance.go("/finance/year")
    figure = page.locator(".table--matrix tbody td a").first
    shown = figure.inner_text()
    with page.expect_navigation():
        figure.click()
    expect(page.locator("tfoot")).to_contain_text(shown)
    with page.expect_navigation():
        page.locator(".staff-head__end a").click()
    expect(page.locator("dl.figures").first).to_contain_text(shown)

    with page.expect_download() as started:
        page.locator("a[href*='format=csv&'][href*='part=zip']").click()
    target = tmp_path / "export.zip"
    started.value.save_as(target)
    archive = zipfile.ZipFile(target)
    name = next(name for name in archive.namelist() if name.endswith(".csv"))
    content = archive.read(name)
    manifest = json.loads(archive.read(f"{name}.manifest.json"))
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert manifest["sha256"] == hashlib.sha256(content).hexdigest()
    assert manifest["note"] == "DATA CONTOH – angka rekaan"
    assert len(rows) == manifest["row_count"] > 0
    assert sum(int(row["net_amount"]) for row in rows) == int(re.sub(r"\D", "", shown))
    assert finance.trouble == []


def test_sums_stand_still_while_the_table_moves(visit: Visit) -> None:
    finance = visit("desk", account=FINANCE)
    finance.go("/finance/year")
    finance.still()
    box = finance.page.locator(".scroll--tall").first
    foot = box.locator("tfoot td").first
    before = foot.bounding_box()
    box.evaluate("box => box.scrollTo(0, box.scrollHeight / 3)")
    after = foot.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) < 1
