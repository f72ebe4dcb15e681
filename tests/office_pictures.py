"""Pictures of finance's guide and of the connections to other systems, as the people of the office see them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

from PIL import Image

from tests.browser import integration_pages
from tests.browser.books_pages import CLOSED, DEPOSIT, FINANCE, SECOND, SETTLEMENT
from tests.browser.visitor import Visitor

Open = Callable[[str], Visitor]
Shot = Callable[..., Image.Image]
AUDITOR = "auditor@demo.test"
ADMIN = "admin@demo.test"


def finance_pictures(open_desk: Open, shot: Shot) -> dict[str, list[Image.Image]]:
    """By name, those of docs/id/keuangan.md that no other part takes."""
    finance, second = open_desk(FINANCE), open_desk(SECOND)
    value = finance.shop.value
    month = value(CLOSED)
    return {
        "export": _export(finance, shot),
        "settlement": [shot(second, f"/finance/settlements/{value(SETTLEMENT.format('proposed'))}")],
        "deposit": _deposit(finance, shot),
        "cash-book": [shot(finance, f"/finance/cash-books/PKL/{month}")],
        "auditor": _auditor(open_desk(AUDITOR), shot, month),
    }


def connection_pictures(open_desk: Open, shot: Shot) -> dict[str, list[Image.Image]]:
    """By name, those of docs/id/sambungan.md."""
    office = open_desk(ADMIN)
    integration_pages.with_tokens(office)
    integration_pages.made(office)
    tokens = shot(office)
    integration_pages.log(office)
    return {"tokens": [tokens], "webhook": [shot(office)]}


def _export(finance: Visitor, shot: Shot) -> list[Image.Image]:
    """A month of sales, counted; and the statements of all facilities while a job makes them."""
    finance.go("/finance/export")
    form = shot(finance)
    finance.go("/finance/statements")
    finance.page.locator("form[action$='/pack'] button").first.click()
    finance.page.locator("#kemajuan progress[max]:not([value='0'])").wait_for()
    # Not when the net is idle: by then it may be ready.
    moving = Image.open(io.BytesIO(finance.page.screenshot())).convert("RGB")
    return [form, moving]


def _deposit(finance: Visitor, shot: Shot) -> list[Image.Image]:
    """One with its billing code, whose payment is to be written down; and one that was paid, with its proof."""
    value = finance.shop.value
    billed = shot(finance, f"/finance/deposits/{value(DEPOSIT.format('approved', 'billing_code IS NOT NULL'))}")
    finance.go(f"/finance/deposits/{value(DEPOSIT.format('paid', 'true'))}")
    slip = io.BytesIO()
    Image.new("RGB", (600, 800), "white").save(slip, "PNG")
    finance.page.locator("input[type=file]").set_input_files(
        {"name": "bukti-setor.png", "mimeType": "image/png", "buffer": slip.getvalue()}
    )
    with finance.page.expect_navigation():
        finance.page.locator("form:has(input[type=file]) button[type=submit]").click()
    return [billed, shot(finance)]


def _auditor(auditor: Visitor, shot: Shot, month: str) -> list[Image.Image]:
    """What an auditor takes along: asked for at the statement, and its index once it is there."""
    auditor.go(f"/finance/statements/PKL/{month}")
    auditor.page.locator("form[action$='/auditor-pack'] button").click()
    fetch = auditor.page.locator("a[download]").first
    fetch.wait_for(timeout=120_000)
    ready = shot(auditor)
    archive = zipfile.ZipFile(io.BytesIO(auditor.page.request.get(fetch.get_attribute("href") or "").body()))
    index = next(name for name in archive.namelist() if name.endswith("INDEKS.html"))
    auditor.page.set_content(archive.read(index).decode())
    return [ready, Image.open(io.BytesIO(auditor.page.screenshot())).convert("RGB")]
