"""What a page shows where its address is shared: a picture drawn for it, and its Open Graph words."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Response, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.shop import bp
from storefront.blueprints.shop.asked import asked_page
from storefront.blueprints.shop.exhibitions import days_of, find_fair
from storefront.catalogue.product_page import ProductPage
from storefront.exhibitions.public import FairPage
from storefront.languages import locale
from storefront.media import cards
from storefront.media.cards import Card

YEAR = 31_536_000
LOCALES = {"id": "id_ID", "en": "en_US"}


@dataclass(frozen=True)
class Shared:
    """The Open Graph tags of a page that are not its title and description."""

    kind: str
    locale: str
    other_locale: str
    #: Absolute address of the picture, and what is to be seen on it.
    picture: str
    alt: str


@bp.app_template_global("shared")
def shared(product: ProductPage | None = None, event: FairPage | None = None) -> Shared:
    """How the page at hand is shown when shared: with a card of its product or fair, else with the shop's."""
    slug = None
    if isinstance(event, FairPage):
        card = fair_card(event)
        address = _fair_address(card, event.line.slug)
    else:
        card = product_card(product) if isinstance(product, ProductPage) else shop_card()
        slug = product.slug if isinstance(product, ProductPage) else None
        address = _address(card, slug)
    language = locale()
    return Shared(
        kind="product" if slug else "website",
        locale=LOCALES[language],
        other_locale=LOCALES["id" if language == "en" else "en"],
        picture=current_app.extensions["settings"].base_url + address,
        alt=", ".join([card.title, *card.lines]),
    )


def product_card(page: ProductPage) -> Card:
    """The card of a product in the language of the request."""
    photo = page.photos[0] if page.photos else None
    by = [_("Karya bengkel %(workshop)s", workshop=page.workshop_name)] if page.workshop_name else []
    return Card(
        title=page.title,
        lines=(*by, page.facility.name),
        shop=_shop(),
        note=_note(),
        photo=photo.key if photo else "",
        widths=photo.widths if photo else (),
        tint=(photo.tint if photo else None) or "c1",
    )


def fair_card(fair: FairPage) -> Card:
    """The card of a fair in the language of the request: its name, days and place."""
    line, picture = fair.line, fair.line.picture
    where = _("di gerbang tiap lapas") if line.kind == "campaign" else ", ".join(filter(None, [line.venue, line.city]))
    return Card(
        title=line.name,
        lines=tuple(part for part in (days_of(fair), where) if part),
        shop=_shop(),
        note=_note(),
        photo=picture.key if picture else "",
        widths=picture.widths if picture else (),
        tint=(picture.tint if picture else None) or "c1",
    )


def shop_card() -> Card:
    """The card of every page that has none of its own."""
    host = urlsplit(current_app.extensions["settings"].base_url).netloc
    return Card(_("Karya tangan dari bengkel lapas. Jelas ke mana uangnya."), (host,), _shop(), _note())


@bp.get("/share/<digest>.jpg", defaults={"slug": None})
@bp.get("/share/<slug>/<digest>.jpg")
def share_picture(slug: str | None, digest: str) -> ResponseReturnValue:
    """The picture of a product, or of the shop; an address of earlier words leads to the one of today."""
    card = shop_card() if slug is None else product_card(asked_page(slug))
    return _picture(card, digest) or redirect(_address(card, slug), 302)


@bp.get("/share/exhibitions/<slug>/<digest>.jpg")
def share_exhibition(slug: str, digest: str) -> ResponseReturnValue:
    """The picture of a fair; an address of earlier words leads to the one of today."""
    card = fair_card(find_fair(slug))
    return _picture(card, digest) or redirect(_fair_address(card, slug), 302)


def _picture(card: Card, digest: str) -> Response | None:
    """The picture of `card`; None where the address is of other words."""
    if digest != card.digest:
        return None
    response = Response(cards.card_file(card), mimetype="image/jpeg")
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.set_etag(digest)
    response.make_conditional(request)
    return response


def _fair_address(card: Card, slug: str) -> str:
    return url_for("shop.share_exhibition", slug=slug, digest=card.digest)


def _address(card: Card, slug: str | None) -> str:
    return url_for("shop.share_picture", slug=slug, digest=card.digest)


def _shop() -> str:
    name: str = current_app.extensions["settings"].shop_name
    return name


def _note() -> str:
    return _("DATA CONTOH") if current_app.extensions["settings"].demo else ""
