"""Facilities on the map and in the list, and figures with a permanent address."""

from __future__ import annotations

from tests.browser.sights import Sight, at, found

#: A day that every demo has lived through.
LAST_WEEK = "SELECT (now() AT TIME ZONE 'Asia/Jakarta')::date - 7"
WITHOUT_ACCOUNT = "SELECT slug FROM facilities WHERE code = 'TSM'"

IMPACT_PAGES = [
    Sight(
        "facilities-found",
        "shop.facilities",
        at("/facilities?q=pati&province=jawa-tengah&goods=makanan-minuman"),
    ),
    Sight("facilities-none", "shop.facilities", at("/facilities?q=zzzzzz")),
    Sight("facility-waiting", "shop.facility", found("/facilities/{}", WITHOUT_ACCOUNT)),
    Sight("figures", "shop.impact_figures", at("/impact/figures")),
    Sight("figure", "shop.impact_figure", found("/impact/figures/premium_old?on={}", LAST_WEEK)),
    Sight(
        "figure-of-training",
        "shop.impact_figure",
        found("/impact/figures/training_certified?on={}&facility=PLP", LAST_WEEK),
    ),
]

#: Files.
NO_IMPACT_PAGES = {"shop.impact_table", "shop.impact_figure_rows"}
