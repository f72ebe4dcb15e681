"""What the public is told at the address of a facility, or of a work of one, that is suspended."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, select

from storefront.catalogue.filters import SLUG
from storefront.catalogue.models import Product, ProductStatus
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility, Suspension


class FacilitySuspended(NotFound):
    """It sells nothing for now: its pages say so, and search engines forget them."""

    code = "facility_suspended"
    message = _(
        "%(facility)s sedang tidak berjualan, jadi karyanya tidak dapat dipesan. Pesanan yang sudah dibayar tetap "
        "dikirim. Cari karya lain di katalog."
    )

    def __init__(self, facility: str) -> None:
        super().__init__(type(self).message % {"facility": facility}, extra={"facility": facility})


def refuse_facility(slug: str) -> None:
    """Raises FacilitySuspended when the facility under `slug` is; else returns."""
    if SLUG.fullmatch(slug):
        _refuse(db.session.scalar(_suspended().where(Facility.slug == slug)))


def refuse_work(slug: str) -> None:
    """Raises FacilitySuspended when the work under `slug` is one of a suspended facility; else returns."""
    of_it = select(Product.facility_id).where(Product.slug == slug, Product.status == ProductStatus.PUBLISHED.value)
    if SLUG.fullmatch(slug):
        _refuse(db.session.scalar(_suspended().where(Facility.id.in_(of_it))))


def _suspended() -> Select[str]:
    return (
        select(Facility.name)
        .join(Suspension, Suspension.facility_id == Facility.id)
        .where(Facility.status == "suspended", Suspension.lifted_at.is_(None))
    )


def _refuse(facility: str | None) -> None:
    if facility is not None:
        raise FacilitySuspended(facility)
