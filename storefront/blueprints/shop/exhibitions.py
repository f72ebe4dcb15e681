"""Exhibitions: the list, each one's page before, during and after, and its days as a calendar file."""

from __future__ import annotations

from flask import current_app, render_template, request, url_for
from flask_babel import gettext as _

from storefront.blueprints.shop import bp
from storefront.blueprints.shop.public import plain_url, public_page
from storefront.catalogue.filters import SLUG
from storefront.days import today
from storefront.display import format_date
from storefront.errors import NotFound
from storefront.exhibitions import public
from storefront.exhibitions.calendar_file import calendar_file
from storefront.exhibitions.fairs import When
from storefront.exhibitions.public import FairPage
from storefront.exhibitions.sold import Sold, sold
from storefront.languages import locale
from storefront.pages import page_number


@bp.get("/exhibitions")
@public_page()
def exhibitions() -> str:
    """Every fair: running, coming, past."""
    asked = request.args.get("when", "")
    asked = asked if asked in set(When) else ""
    found = public.fair_list(today(), locale(), asked, page_number())
    return render_template(
        "shop/exhibitions.html",
        found=found,
        when=asked,
        canonical=plain_url("shop.exhibitions", when=asked or None, page=found.page if found.page > 1 else None),
    )


@bp.get("/exhibitions/<slug>")
@public_page(figures=True)
def exhibition(slug: str) -> str:
    """One fair: what will be there, what is there, or what was sold, by whom and for whose benefit."""
    day, fair = today(), _fair(slug)
    facility = request.args.get("facility", "")
    facility = facility if any(one.slug == facility for one in fair.named) else ""
    special = request.args.get("special") == "1"
    is_past = fair.line.when is When.PAST
    things = public.ThingPage((), 0, 1)
    if not is_past:
        things = public.things(fair, day, locale(), facility=facility, special=special, page=page_number())
    return render_template(
        "shop/exhibition.html",
        event=fair,
        things=things,
        facility=facility,
        special=special,
        ahead=[] if is_past else public.prices_ahead(fair, day),
        sold=Sold() if fair.line.when is When.COMING else sold(fair.id, locale()),
        canonical=plain_url("shop.exhibition", slug=slug),
    )


@bp.get("/exhibitions/<slug>/kalender.ics")
@public_page(mimetype="text/calendar")
def exhibition_calendar(slug: str) -> str:
    """The days of a fair for the visitor's calendar."""
    fair, settings = _fair(slug), current_app.extensions["settings"]
    line = fair.line
    note = _("DATA CONTOH – angka rekaan") if settings.demo else ""
    url = settings.base_url + url_for("shop.exhibition", slug=slug)
    about = [line.theme, f"{_('Jam buka')}: {line.hours}" if line.hours else "", url, note]
    return calendar_file(
        uid=f"pameran-{fair.line.slug}",
        name=f"{line.name} ({note})" if note else line.name,
        starts_on=line.starts_on,
        ends_on=line.ends_on,
        place=", ".join(part for part in (line.venue, line.city) if part),
        about="\n".join(part for part in about if part),
        url=url,
        changed_at=fair.changed_at,
        shop=settings.shop_name,
        language=locale(),
    )


def find_fair(slug: str) -> FairPage:
    """The fair at an address. Raises NotFound."""
    return _fair(slug)


def days_of(fair: FairPage) -> str:
    """Its days in words."""
    first, last = fair.line.starts_on, fair.line.ends_on
    return format_date(first) if first == last else f"{format_date(first)} – {format_date(last)}"


def _fair(slug: str) -> FairPage:
    found = public.fair_page(slug, today(), locale()) if SLUG.fullmatch(slug) else None
    if found is None:
        raise NotFound()
    return found
