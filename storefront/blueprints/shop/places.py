"""Facilities: the list by province, and each one's page."""

from __future__ import annotations

import datetime

from flask import render_template, request, url_for
from sqlalchemy import select

from storefront.blueprints.shop import bp
from storefront.blueprints.shop.public import (
    catalogue_version,
    follow_merged,
    plain_url,
    public_counts,
    public_page,
    totals,
)
from storefront.catalogue import suspended
from storefront.catalogue.facility_list import FacilityFilters, find_facilities
from storefront.catalogue.facility_pages import facility_page
from storefront.catalogue.filters import SLUG
from storefront.catalogue.province_map import Region
from storefront.days import today
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.facilities import declared
from storefront.facilities.models import Facility
from storefront.impact import training_page
from storefront.impact.passed_on import PassedOn
from storefront.languages import locale
from storefront.ledger.totals import total_of
from storefront.pages import page_number
from storefront.small_counts import figure
from storefront.training.models import Kind
from storefront.training.published import Counted


@bp.get("/facilities")
@public_page()
def facilities() -> str:
    """Every facility that sells, on the map and under its province; searched and filtered by the address."""
    follow_merged("goods")
    filters = FacilityFilters.from_args(request.args)
    found = find_facilities(filters, locale(), catalogue_version())
    here = url_for("shop.facilities")

    def region_url(region: Region) -> str:
        return here + filters.but(province=region.slugs).query_string() + "#daftar"

    return render_template(
        "shop/facilities.html",
        found=found,
        filters=filters,
        here=here,
        region_url=region_url,
        # Each province is a page of its own for search engines; all else points to the whole list.
        canonical=plain_url("shop.facilities") + FacilityFilters(province=filters.province).query_string(),
    )


@bp.get("/facilities/<slug>")
@public_page(figures=True)
def facility(slug: str) -> str:
    """One facility: its workshops, what it sells, and what purchases did here."""
    page = facility_page(slug, page_number(), locale(), catalogue_version())
    if page is None:
        suspended.refuse_facility(slug)
        raise NotFound()
    sums, counts = totals().of_facility(page.id), public_counts()

    def here(row: Counted | PassedOn) -> bool:
        return row.facility == page.code

    def permanent(key: str) -> str:
        day = today() - datetime.timedelta(days=1)
        return url_for("shop.impact_figure", key=key, on=day.isoformat(), facility=page.code)

    def page_url(number: int) -> str:
        return url_for("shop.facility", slug=slug, page=None if number == 1 else number)

    return render_template(
        "shop/facility.html",
        facility=page,
        workshops=page.workshops,
        products=page.items,
        total=page.total,
        page=page.page,
        pages=page.pages,
        page_url=page_url,
        sums=sums,
        sums_total=total_of(sums),
        premium=totals().premium_of(page.id),
        passed_on=figure(counts.passed_on, here),
        training=training_page.line(counts.trained, page.name, here, locale()),
        training_kinds=[
            training_page.line(counts.trained, kind.value, lambda row, k=kind: here(row) and row.kind == k, locale())  # type: ignore[misc]
            for kind in Kind
        ],
        permanent=permanent,
        declared=declared.workshops_of(page.id, today(), locale()),
        since=totals().first_days.get(page.id),
        canonical=plain_url("shop.facility", slug=slug, page=None if page.page == 1 else page.page),
    )


@bp.get("/facilities/<slug>/declarations")
@public_page()
def declarations(slug: str) -> str:
    """What each workshop of a facility declares of its work."""
    if not SLUG.fullmatch(slug):
        raise NotFound()
    facility = db.session.scalar(select(Facility).where(Facility.slug == slug, Facility.status == "active"))
    if facility is None:
        suspended.refuse_facility(slug)
        raise NotFound()
    return render_template(
        "shop/declarations.html",
        facility=facility,
        workshops=declared.workshops_of(facility.id, today(), locale()),
        canonical=plain_url("shop.declarations", slug=slug),
    )
