"""The pages that build trust, Laporkan, and where the central office keeps them."""

from __future__ import annotations

from playwright.sync_api import Response

from tests.browser.sights import Sight, Way, at, found, sent
from tests.browser.visitor import Visitor

CURATOR, ADMINISTRATOR = "curator@demo.test", "admin@demo.test"
CASE = "SELECT id FROM cases WHERE state = '{}' ORDER BY id LIMIT 1"
RATES = "SELECT min(id) FROM rate_files WHERE applied_at IS NULL"
CATEGORY = "SELECT min(id) FROM categories WHERE archived_at IS NULL"
BLOCK = "SELECT id FROM home_blocks WHERE kind = '{}' AND removed_at IS NULL ORDER BY id LIMIT 1"


def reported(visitor: Visitor) -> Response:
    """A report has just been sent."""
    visitor.go("/report?about=/products")
    page = visitor.page
    page.locator("input[name=kind][value=other]").check()
    page.locator("#f-body").fill("Percobaan. Terang sekali.")
    with page.expect_navigation() as navigation:
        page.locator("form[action$='/report'] .btn--main").click()
    return navigation.value  # type: ignore[return-value]


def read(visitor: Visitor) -> Response:
    """The case that it opened."""
    reported(visitor)
    with visitor.page.expect_navigation() as navigation:
        visitor.page.locator("#kunci ~ p a.btn").click()
    return navigation.value  # type: ignore[return-value]


def pages() -> list[Sight]:
    slugs = ("how-it-works", "where-the-money-goes", "how-to-shop", "returns", "privacy", "contact", "media", "terms")
    return [Sight(f"page-{slug}", "shop.page", at(f"/pages/{slug}")) for slug in slugs]


def case_in(state: str) -> Way:
    return found("/admin/cases/{}", CASE.format(state))


OFFICE_PAGES = [
    *pages(),
    Sight("report", "report.form", at("/report?about=/products")),
    Sight("report-refused", "report.send", sent(at("/report"), {"#f-email": "x"}, "main .btn--main"), status=422),
    Sight("report-sent", "report.send", reported, status=201),
    Sight("report-case", "report.case", read),
    Sight("admin-home", "admin.home_list", at("/admin/home"), CURATOR),
    Sight("admin-home-preview", "admin.preview_home", at("/admin/home/preview?drafts=1"), CURATOR),
    Sight("admin-block", "admin.block_form", found("/admin/home/{}", BLOCK.format("workshop")), CURATOR),
    Sight("admin-block-chosen", "admin.block_form", found("/admin/home/{}", BLOCK.format("chosen")), CURATOR),
    Sight("admin-block-new", "admin.new_block", at("/admin/home/new/category"), CURATOR),
    Sight("admin-pages", "admin.page_list", at("/admin/pages"), CURATOR),
    Sight("admin-page", "admin.page_form", at("/admin/pages/contact"), CURATOR),
    Sight("admin-page-revision", "admin.page_revision", at("/admin/pages/contact/revisions/0"), CURATOR),
    Sight("admin-category", "admin.category", found("/admin/categories/{}", CATEGORY), CURATOR),
    Sight("admin-categories", "admin.category_tree", at("/admin/categories"), CURATOR),
    Sight("admin-settings", "admin.settings_page", at("/admin/settings"), ADMINISTRATOR),
    Sight("admin-rates", "admin.rates_page", at("/admin/shipping"), ADMINISTRATOR),
    Sight("admin-rates-read", "admin.rate_file", found("/admin/shipping/{}", RATES), ADMINISTRATOR),
    Sight("admin-system", "admin.system_page", at("/admin/system"), ADMINISTRATOR),
    Sight("admin-operator", "admin.operator_form", at("/admin/operator"), ADMINISTRATOR),
    Sight("admin-facilities", "admin.facility_list", at("/admin/facilities?kind=lapas&state=active"), ADMINISTRATOR),
    Sight("admin-facility-new", "admin.new_facility", at("/admin/facilities/new"), ADMINISTRATOR),
    Sight("admin-facility", "admin.facility_page", at("/admin/facilities/PKL"), ADMINISTRATOR),
    Sight("admin-facility-suspend", "admin.ask_suspend", at("/admin/facilities/PKL/suspend"), ADMINISTRATOR),
    Sight("admin-invite", "admin.invite_form", at("/admin/people/invite"), ADMINISTRATOR),
    Sight("admin-roles", "admin.role_table", at("/admin/roles"), ADMINISTRATOR),
    Sight("admin-audit", "admin.audit", at("/admin/audit?words=PKL"), ADMINISTRATOR),
    Sight("admin-waiting", "admin.overview", at("/admin/"), ADMINISTRATOR),
    Sight("admin-cases", "admin.case_list", at("/admin/cases"), ADMINISTRATOR),
    Sight("admin-case-open", "admin.case", case_in("looked_at"), ADMINISTRATOR),
    Sight("admin-case-closed", "admin.case", case_in("closed"), ADMINISTRATOR),
]

#: Ways back to a page, and files.
NO_OFFICE_PAGES = {
    "admin.after_step",
    "admin.case_file",
    "admin.download_rates",
}  # fmt: skip
