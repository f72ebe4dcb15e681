"""A product's page in the hand: pictures, variants, sharing; with scripts and without."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.visitor import Visitor

BAG = "/products/tas-selempang-kulit-kanvas-lamoker"
KOKO = "/products/baju-koko"
SEEN = """id => { const box = document.getElementById(id).getBoundingClientRect();
    return Math.abs(box.left - document.getElementById(id).parentElement.getBoundingClientRect().left) < 2; }"""


def test_pictures_and_variants_follow_the_hand(visit: Callable[..., Visitor]) -> None:
    shopper = visit("phone")
    page = shopper.page
    shopper.go(BAG)
    where = page.evaluate("scrollY")
    page.locator("#foto-1 .slide__step--on").click()
    page.wait_for_function(SEEN, arg="foto-2")
    page.locator("#galeri").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(SEEN, arg="foto-1")
    assert page.evaluate("scrollY") == where  # the page itself did not move

    page.get_by_role("radio", name="Hitam").check()
    page.wait_for_function(SEEN, arg="foto-2")
    assert page.url.endswith("?sku=MJK-KULIT-01-HITAM")
    expect(page.locator("dd.code:visible")).to_have_text("MJK-KULIT-01-HITAM")

    page.locator("#foto-2 .slide__zoom").click()
    dialog = page.locator("#besar")
    expect(dialog).to_be_visible()
    page.wait_for_function(SEEN, arg="besar-2")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(SEEN, arg="besar-1")
    page.locator("#besar-1 .slide__step--on").click()
    page.wait_for_function(SEEN, arg="besar-2")
    page.locator("#besar-2 .slide__step").first.click()
    page.wait_for_function(SEEN, arg="besar-1")
    near = dialog.get_by_role("button", name="Perbesar")
    near.click()
    expect(near).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("(s => s.scrollWidth > s.clientWidth * 1.9)(document.getElementById('besar-1'))")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("#foto-2 .slide__zoom")).to_be_focused()
    assert shopper.trouble == []


def test_a_size_that_has_run_out_says_so_and_the_money_follows(visit: Callable[..., Visitor]) -> None:
    shopper = visit("desk")
    page = shopper.page
    shopper.go(KOKO)
    expect(page.locator(".offer:visible .stock")).to_contain_text("stok")
    expect(page.locator(".money__sum")).to_contain_text("135.000")
    page.get_by_role("radio", name="XL").check()
    expect(page.locator(".money__sum")).to_contain_text("145.000")
    expect(page.locator(".price--l:visible")).to_contain_text("145.000")
    expect(page.locator(".tell:visible")).to_be_visible()
    expect(page.get_by_role("button", name="Masukkan ke keranjang")).to_be_hidden()
    page.locator("input[value=PKL-JAHIT-01-M]").check()
    expect(page.get_by_role("button", name="Masukkan ke keranjang")).to_be_visible()
    expect(page.locator(".tell:visible")).to_have_count(0)
    expect(page.get_by_role("button", name="Salin tautan")).to_be_visible()
    page.locator(".share summary").click()
    page.wait_for_function("() => document.querySelector('.share__code img').naturalWidth > 0")


def test_without_scripts_a_size_is_shown_by_its_button(visit: Callable[..., Visitor]) -> None:
    shopper = visit("phone", javascript=False)
    page = shopper.page
    shopper.go(KOKO)
    expect(page.locator(".price--l:visible")).to_contain_text("135.000")
    page.locator(".choice input[value=PKL-JAHIT-01-XL]").check()
    page.get_by_role("button", name="Tampilkan pilihan ini").click()
    expect(page.locator(".price--l:visible")).to_contain_text("145.000")
    expect(page.locator(".money__sum")).to_contain_text("145.000")
    expect(page.locator(".tell:visible")).to_be_visible()
    page.locator("#foto-1 .slide__step--on").click()
    page.wait_for_url("**#foto-2")
    assert page.evaluate(SEEN, "foto-2")
    with page.expect_navigation():
        page.locator("#foto-2 .slide__zoom").click()
    assert page.url.endswith(".webp")
