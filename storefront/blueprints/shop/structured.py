"""What pages tell search engines about themselves: schema.org as JSON-LD, in the shapes that Google documents.

Sources: developers.google.com/search/docs/appearance/structured-data/ (merchant-listing, breadcrumb,
organization, site-names, sitelinks-searchbox, review-snippet). What cached pages may not say, the exact number of
pieces, is not said here either; an offer that cannot be bought now is SoldOut.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import current_app, request, url_for

from storefront.blueprints.shop import bp
from storefront.catalogue.product_page import Offer, ProductPage
from storefront.content.operator import operator
from storefront.exhibitions.public import FairPage
from storefront.facilities.working_days import DAYS_TO_PACK
from storefront.languages import PERSONAL_FACES, locale
from storefront.media.storage import media_url

Thing = dict[str, Any]
CONTEXT = "https://schema.org"


@bp.app_template_global("page_data")
def page_data(product: ProductPage | None = None, event: FairPage | None = None) -> list[Thing]:
    """The things that the page at hand is about, beside its breadcrumbs."""
    if request.endpoint == "shop.home":
        return [organization(), website()]
    if request.endpoint == "shop.product" and isinstance(product, ProductPage):
        return [product_thing(product)]
    if request.endpoint == "shop.exhibition" and isinstance(event, FairPage):
        return [fair_thing(event)]
    return []


@bp.app_template_global("crumbs_data")
def crumbs_data(steps: Sequence[tuple[str, str | None]]) -> Thing | None:
    """A public page's breadcrumbs: `steps` as they are shown, the last without an address; None for personal pages."""
    if request.blueprint in PERSONAL_FACES or request.blueprint == "checkout":
        return None
    items = []
    for position, (label, url) in enumerate(steps, start=1):
        item: Thing = {"@type": "ListItem", "position": position, "name": str(label)}
        if url:
            item["item"] = _absolute(url)
        items.append(item)
    return {"@context": CONTEXT, "@type": "BreadcrumbList", "itemListElement": items}


def organization() -> Thing:
    """Who runs the shop, as the footer of every page says it."""
    now = operator()
    contact = {"@type": "ContactPoint", "contactType": "customer service", "availableLanguage": ["id", "en"]}
    found: Thing = {
        "@context": CONTEXT,
        "@type": "Organization",
        "@id": _absolute("/") + "#organization",
        "name": _settings().shop_name,
        "legalName": now.name,
        "url": _absolute("/"),
        "logo": _absolute(current_app.extensions["assets"].url("icons/app-512.png")),
        "address": {"@type": "PostalAddress", "streetAddress": now.address, "addressCountry": "ID"},
        "contactPoint": {**contact, **_known(email=now.email, telephone=now.phone)},
    }
    return {**found, **_known(email=now.email, telephone=now.phone)}


def website() -> Thing:
    """The shop as a site, and how it is searched."""
    return {
        "@context": CONTEXT,
        "@type": "WebSite",
        "name": _settings().shop_name,
        "url": _absolute(url_for("shop.home")),
        "inLanguage": locale(),
        "publisher": {"@id": _absolute("/") + "#organization"},
        "potentialAction": {
            "@type": "SearchAction",
            "target": {
                "@type": "EntryPoint",
                "urlTemplate": _absolute(url_for("shop.products")) + "?q={search_term_string}",
            },
            "query-input": "required name=search_term_string",
        },
    }


def product_thing(page: ProductPage) -> Thing:
    """A product with an offer for each variant, and what its buyers' public reviews add up to."""
    shown = page.shown
    found: Thing = {
        "@context": CONTEXT,
        "@type": "Product",
        "name": page.title,
        "description": page.description or page.title,
        "url": _product_url(page),
        "category": page.category.name,
        "brand": {"@type": "Brand", "name": page.facility.name},
        "manufacturer": {
            "@type": "Organization",
            "name": page.facility.name,
            "url": _absolute(url_for("shop.facility", slug=page.facility.slug)),
        },
        "countryOfOrigin": {"@type": "Country", "name": "ID"},
    }
    if page.photos:
        found["image"] = [_absolute(media_url(f"{p.key}-{p.widths[-1]}.webp")) for p in page.photos]
    if shown is not None:
        found["sku"] = shown.sku
        found["weight"] = {"@type": "QuantitativeValue", "value": shown.weight_g, "unitCode": "GRM"}
    offers = [_offer(page, variant) for variant in page.variants]
    if offers:
        found["offers"] = offers[0] if len(offers) == 1 else offers
    if page.rating is not None:
        found["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": page.rating.average,
            "reviewCount": page.rating.reviews,
            "bestRating": 5,
            "worstRating": 1,
        }
    return found


def fair_thing(fair: FairPage) -> Thing:
    """A fair as an event (developers.google.com/search/docs/appearance/structured-data/event)."""
    line = fair.line
    address = {"@type": "PostalAddress", "addressCountry": "ID", **_known(addressLocality=line.city)}
    found: Thing = {
        "@context": CONTEXT,
        "@type": "Event",
        "name": line.name,
        "startDate": line.starts_on.isoformat(),
        "endDate": line.ends_on.isoformat(),
        "eventAttendanceMode": f"{CONTEXT}/OfflineEventAttendanceMode",
        "eventStatus": f"{CONTEXT}/EventScheduled",
        "url": _absolute(url_for("shop.exhibition", slug=line.slug)),
        "location": {"@type": "Place", "name": line.venue or line.city or line.name, "address": address},
        "organizer": {"@type": "Organization", "@id": _absolute("/") + "#organization", "name": operator().name},
        **_known(description=line.theme or fair.about[:300]),
    }
    if line.picture is not None:
        found["image"] = [_absolute(media_url(f"{line.picture.key}-{line.picture.largest}.webp"))]
    return found


def _offer(page: ProductPage, variant: Offer) -> Thing:
    offer: Thing = {
        "@type": "Offer",
        "url": _product_url(page),
        "sku": variant.sku,
        "name": f"{page.title}, {variant.title}" if variant.title else page.title,
        "price": variant.price,
        "priceCurrency": "IDR",
        "availability": f"{CONTEXT}/{_availability(variant)}",
        "itemCondition": f"{CONTEXT}/NewCondition",
        "seller": {"@type": "Organization", "@id": _absolute("/") + "#organization", "name": operator().name},
    }
    if page.scope == "pickup":
        offer["availableDeliveryMethod"] = f"{CONTEXT}/OnSitePickup"
        offer["availableAtOrFrom"] = {"@type": "Place", "name": page.facility.name}
    else:
        offer["shippingDetails"] = _shipping(page, variant)
    return offer


def _availability(variant: Offer) -> str:
    if not variant.can_be_bought:
        return "SoldOut"
    if variant.is_made_to_order:
        return "MadeToOrder"
    return "LimitedAvailability" if variant.few_left else "InStock"


def _shipping(page: ProductPage, variant: Offer) -> Thing:
    """Where it is sent and how long it takes to leave; what it costs depends on the district, so it is not said."""
    destination: Thing = {"@type": "DefinedRegion", "addressCountry": "ID"}
    if page.scope in ("province", "same_city"):
        destination["addressRegion"] = page.facility.province
    days = variant.lead_time_days if variant.is_made_to_order else None
    handling = {"minValue": days or 0, "maxValue": days or DAYS_TO_PACK, "unitCode": "DAY"}
    return {
        "@type": "OfferShippingDetails",
        "shippingDestination": destination,
        "deliveryTime": {
            "@type": "ShippingDeliveryTime",
            "handlingTime": {"@type": "QuantitativeValue", **handling},
        },
    }


def _known(**values: str) -> Thing:
    return {name: value for name, value in values.items() if value}


def _product_url(page: ProductPage) -> str:
    return _absolute(url_for("shop.product", slug=page.slug))


def _absolute(path: str) -> str:
    base: str = _settings().base_url
    return base + path


def _settings() -> Any:
    return current_app.extensions["settings"]
