"""The end of a month as the people of finance do it: give back, pay out, deposit, pass on, check, close."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.bank_samples import Movement, csv_of
from tests.browser.books_pages import COORDINATOR, FINANCE, HEAD, OPEN, SECOND
from tests.browser.visitor import Visitor

Visit = Callable[..., Visitor]
#: A paid order with a line dear enough for a second person.
DEAR = """SELECT o.number FROM orders o JOIN order_status s ON s.order_id = o.id JOIN order_lines l ON l.order_id = o.id
    WHERE s.status = 'paid' AND l.net_amount / l.quantity >= 500000
      AND NOT EXISTS (SELECT FROM refunds r WHERE r.order_id = o.id) ORDER BY o.id LIMIT 1"""
NTPN, BILLING_CODE = "0123456789ABCDEF", "820261231999999"


@pytest.fixture
def finance(visit: Visit) -> Visitor:
    return visit("desk", account=FINANCE)


@pytest.fixture
def second(visit: Visit) -> Visitor:
    return visit("desk", account=SECOND)


def press(visitor: Visitor, words: str) -> None:
    """Press the button with these words and read what comes."""
    button = visitor.page.locator("main").get_by_role("button", name=visitor.says(words), exact=True)
    with visitor.page.expect_navigation():
        button.click()


def pill(visitor: Visitor) -> Locator:
    """In which state the thing of this page is."""
    return visitor.page.locator(".staff-head .pill").first


def until(visitor: Visitor, found: Locator) -> None:
    """Look again until the worker has done its part."""
    visitor.until(lambda: found.count() or not visitor.page.reload(), f"it never came: {found}")


def surprises(*visitors: Visitor) -> list[str]:
    """What browsers complained about, apart from the pages that were refused on purpose."""
    refused = re.compile("status of 4(09|22) ")
    return [line for visitor in visitors for line in visitor.trouble if not refused.search(line)]


def newest(visitor: Visitor, thing: str) -> str:
    """The address of what was proposed last."""
    return f"/finance/{thing}/{visitor.shop.value(f'SELECT max(id) FROM {thing}')}"


def test_a_refund_takes_two_people(finance: Visitor, second: Visitor) -> None:
    number = finance.shop.value(DEAR)
    finance.go(f"/finance/orders/{number}")
    with finance.page.expect_navigation():
        finance.page.locator(".staff-head__end a").click()
    page = finance.page
    page.locator("input[name^=quantity-]").first.fill("1")
    press(finance, "Kembalikan dana")
    expect(page.locator("#f-reason-error")).to_contain_text("alasan")
    expect(page.locator("input[name^=quantity-]").first).to_have_value("1")
    page.locator("#f-reason").select_option("returned")
    press(finance, "Kembalikan dana")
    expect(pill(finance)).to_have_text("Menunggu persetujuan")
    expect(page.get_by_role("button", name="Setujui dan kirim")).to_have_count(0)

    second.go(newest(second, "refunds"))
    press(second, "Setujui dan kirim")
    until(second, second.page.locator(".staff-head .pill--ready"))
    expect(pill(second)).to_have_text("Sudah kembali")
    finance.go(f"/finance/orders/{number}")
    expect(page.locator("#jurnal ~ .panel, [aria-labelledby=jurnal]").last).to_contain_text(
        "Pengembalian dana"
    )
    assert surprises(finance, second) == []


def test_premium_reaches_its_makers_and_the_state_its_share(
    finance: Visitor, second: Visitor, visit: Visit
) -> None:
    settle(finance, second, 50_000)
    deposit(finance, second)
    pass_on(visit("desk", account=COORDINATOR), visit("phone", account=HEAD))
    assert surprises(finance, second) == []


def settle(finance: Visitor, second: Visitor, amount: int) -> None:
    """Premium is proposed, approved and paid into the facility's account."""
    finance.go("/finance/settlements/new")
    finance.page.locator("input[name=pick][value=PKL-premium]").check()
    finance.page.locator("#f-PKL-premium").fill(str(amount))
    press(finance, "Usulkan yang dipilih")
    address = newest(finance, "settlements")
    second.go(address)
    press(second, "Setujui")
    finance.go(address)
    finance.page.locator("#f-bank_reference").fill("TRX-AKHIR-BULAN")
    press(finance, "Catat sudah dibayar")
    expect(pill(finance)).to_have_text("Dibayar")


def deposit(finance: Visitor, second: Visitor) -> None:
    """State revenue is proposed, approved, billed and paid; a used NTPN is refused beside its field."""
    page = finance.page
    facility = finance.shop.value("SELECT id FROM facilities WHERE code = 'PKL'")
    used = finance.shop.value("SELECT ntpn FROM deposits WHERE ntpn IS NOT NULL LIMIT 1")
    finance.go("/finance/deposits")
    page.locator(f"input[name=pick][value='{facility}']").check()
    press(finance, "Usulkan setoran yang dipilih")
    address = newest(finance, "deposits")
    second.go(address)
    press(second, "Setujui")
    finance.go(address)
    page.locator("#f-billing_code").fill(BILLING_CODE)
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=2)
    page.locator("#f-billing_expires_at").fill(later.strftime("%Y-%m-%dT%H:%M"))
    press(finance, "Simpan kode billing")
    page.locator("#f-ntb").fill("123456789012")
    page.locator("#f-ntpn").fill(used)
    press(finance, "Catat sudah dibayar")
    expect(page.locator("#f-ntpn-error")).to_contain_text("sudah dipakai")
    expect(page.locator("#f-ntb")).to_have_value("123456789012")
    page.locator("#f-ntpn").fill(NTPN)
    press(finance, "Catat sudah dibayar")
    expect(pill(finance)).to_have_text("Dibayar")
    expect(page.locator(".facts").first).to_contain_text(NTPN)


def pass_on(coordinator: Visitor, head: Visitor) -> None:
    """The facility records what it passed on, never more than it was paid; its head approves on a phone."""
    page = coordinator.page
    coordinator.go("/seller/PKL/distributions")
    page.locator("#f-workshop").select_option(index=1)
    page.locator("#f-people").fill("7")
    page.locator("#f-amount").fill("999.999.999")
    press(coordinator, "Catat pembagian")
    expect(page.locator("#f-amount-error")).to_contain_text("paling banyak")
    expect(page.locator("#f-people")).to_have_value("7")
    page.locator("#f-amount").fill("49.123")
    press(coordinator, "Catat pembagian")
    head.go("/seller/PKL/")
    with head.page.expect_navigation():
        head.page.get_by_role("link", name="catatan pembagian premi").click()
    row = head.page.locator("tr", has_text="49.123")
    with head.page.expect_navigation():
        row.get_by_role("button", name="Setujui", exact=True).click()
    head.go("/seller/PKL/distributions?state=approved")
    expect(head.page.locator("tr", has_text="49.123")).to_contain_text("Disetujui")
    assert surprises(coordinator, head) == []


def step_row(visitor: Visitor, words: str) -> Locator:
    """A step of the path to a month's end."""
    return visitor.page.locator("[aria-labelledby=jalan] tbody tr", has_text=words)


def follow(visitor: Visitor, words: str) -> None:
    """Go to where a step is done."""
    with visitor.page.expect_navigation():
        step_row(visitor, words).locator("td").last.locator("a").click()


def back(visitor: Visitor, month: str) -> None:
    """From any page of finance back to the path."""
    with visitor.page.expect_navigation():
        visitor.page.locator("main > p > a", has_text="Kembali ke akhir bulan").click()
    assert visitor.page.url.endswith(f"/finance/periods/{month}")


def test_the_way_from_the_banks_file_to_the_payments(finance: Visitor, second: Visitor) -> None:
    month = finance.shop.value(OPEN)
    finance.go(f"/finance/periods/{month}")
    follow(finance, "Ambil berkas bank")
    take_in(finance, month)
    back(finance, month)
    expect(step_row(finance, "Ambil berkas bank").locator(".pill")).to_have_text("Beres")
    expect(step_row(finance, "Cocokkan baris bank")).to_contain_text("belum cocok")
    follow(finance, "Cocokkan baris bank")
    set_aside(finance)
    back(finance, month)
    pay_together(finance, second, month)
    assert surprises(finance, second) == []


def take_in(finance: Visitor, month: str) -> None:
    """The bank's file up to the last day of the month, with a fee of the bank that no book knows."""
    page = finance.page
    query = """SELECT number FROM bank_accounts WHERE facility_id IS NULL AND approved_at IS NOT NULL
                ORDER BY valid_from DESC LIMIT 1"""
    first = datetime.date.fromisoformat(f"{month}-01")
    last = (first + datetime.timedelta(days=31)).replace(day=1) - datetime.timedelta(days=1)
    content = csv_of(Movement(last, -6_543, "BIAYA ADM AKHIR BULAN"), account=finance.shop.value(query))
    page.locator("#f-file").set_input_files({"name": "mutasi.csv", "mimeType": "text/csv", "buffer": content})
    press(finance, "Unggah dan baca")
    press(finance, "Ambil")
    expect(page.locator("main")).to_contain_text("BIAYA ADM AKHIR BULAN")


def set_aside(finance: Visitor) -> None:
    """A line that is not the shop's is put aside with its reason."""
    page = finance.page
    with page.expect_navigation():
        page.locator("tr", has_text="BIAYA ADM AKHIR BULAN").locator("a").first.click()
    page.locator("details", has=page.locator("#f-reason")).locator("summary").click()
    page.locator("#f-reason").fill("Biaya administrasi bank")
    press(finance, "Sisihkan")


def pay_together(finance: Visitor, second: Visitor, month: str) -> None:
    """Premium is proposed, approved by another, and goes out by one file for the bank."""
    page = finance.page
    finance.go("/finance/settlements/new")
    page.locator("input[name=pick][value=PKL-premium]").check()
    page.locator("#f-PKL-premium").fill("40000")
    press(finance, "Usulkan yang dipilih")
    address = newest(finance, "settlements")
    number = address.rpartition("/")[2]
    second.go(address)
    press(second, "Setujui")
    finance.go("/finance/payment-files")
    for box in page.locator("input[name=settlement], input[name=return]").all():
        box.set_checked(box.get_attribute("value") == number and box.get_attribute("name") == "settlement")
    press(finance, "Buat berkas")
    expect(page.locator("[aria-labelledby=isi-berkas] h2")).to_contain_text("40.000")
    with page.expect_download() as download:
        page.get_by_role("link", name="Unduh berkas CSV").click()
    content = download.value.path().read_bytes()
    assert hashlib.sha256(content).hexdigest() in page.content()
    assert f"PS{number}".encode() in content
    press(finance, "Sudah dibawa ke bank")
    expect(pill(finance)).to_have_text("Sudah dibawa ke bank")
    back(finance, month)
    expect(step_row(finance, "Salurkan ke UPT")).to_contain_text("dibayar di bulan ini")


def test_a_month_is_checked_closed_and_shut(finance: Visitor) -> None:
    month = finance.shop.value(OPEN)
    page = finance.page
    figures = closing_and_next_opening(finance, month)
    finance.go(f"/finance/periods/{month}")
    expect(page.get_by_role("button", name="Tutup")).to_have_count(0)
    press(finance, "Periksa seluruh data")
    until(finance, page.locator(f"form[action$='/finance/periods/{month}/close']"))
    named = page.locator("input[name=named]")
    if named.count():
        named.check()
    with page.expect_navigation():
        page.locator(f"form[action$='/finance/periods/{month}/close'] button").click()
    expect(pill(finance)).to_have_text("Ditutup")
    expect(page.locator(".alert--ok").last).to_contain_text("tidak berubah")

    finance.go("/finance/payouts")
    page.locator("#f-reference").fill("po_terlambat_dicatat")
    page.locator("#f-amount").fill("1.000")
    page.locator("#f-arrived_on").fill(f"{month}-15")
    press(finance, "Catat dan bukukan")
    expect(page.locator("#f-arrived_on-error")).to_contain_text("sudah ditutup")
    expect(page.locator("#f-reference")).to_have_value("po_terlambat_dicatat")
    expect(page.locator("#f-amount")).to_have_value("1.000")
    assert closing_and_next_opening(finance, month) == figures
    assert surprises(finance) == []


def closing_and_next_opening(visitor: Visitor, month: str) -> list[str]:
    """What a statement ends with, having seen that the next one begins with it; each figure has its lines."""
    visitor.go(f"/finance/statements/PKL/{month}")
    page = visitor.page
    closing = page.locator("section, main").first.locator("tfoot tr").first.locator("td").all_inner_texts()
    page.locator("nav.pages a[rel=next]").first.click()
    page.wait_for_url(lambda url: f"/PKL/{month}" not in url)
    opening = page.locator("tbody tr").first
    assert opening.locator("td").all_inner_texts() == closing
    total = opening.locator("td").last.inner_text()
    with page.expect_navigation():
        opening.locator("td").last.locator("a").click()
    expect(page.locator("tfoot td").last).to_have_text(total)
    return closing
