"""The product that an address asks for."""

from __future__ import annotations

from flask import request

from storefront.catalogue import suspended
from storefront.catalogue.product_page import ProductPage, product_page
from storefront.errors import NotFound
from storefront.languages import locale


def asked_page(slug: str, *, with_voices: bool = False) -> ProductPage:
    """The product's page with the variant that the address asks for (`?sku=`). Raises NotFound, FacilitySuspended."""
    page = product_page(slug, locale(), request.args.get("sku", "")[:40], with_voices=with_voices)
    if page is None:
        suspended.refuse_work(slug)
        raise NotFound()
    return page
