"""Small makers of rows for tests. Each flushes; the test commits what others shall see."""

from __future__ import annotations

import datetime
import itertools
from typing import Any

from sqlalchemy import select

from storefront.catalogue.models import Category, Photo, Product, Variant
from storefront.extensions import db
from storefront.facilities.models import Facility, Workshop
from storefront.ledger.models import Fund, SplitRule, SplitRuleShare
from storefront.orders.mark_paid import record_payment
from storefront.orders.models import Order
from storefront.orders.payment import open_payment
from storefront.orders.place import Address, Contact, ParcelShipping, PricedLine, place
from storefront.people.models import Membership, Person
from storefront.shipping.models import Province, ShippingMethod
from storefront.stock.adjust import move
from storefront.stock.levels import store_location_id
from storefront.stock.models import MovementReason

_numbers = itertools.count(1)

#: A whole PDF that does nothing.
PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\nstartxref\n9\n%%EOF\n"
NOW = datetime.datetime.now(datetime.UTC)


def make_person(email: str | None = None, **values: Any) -> Person:
    """Somebody with an account; the password hash opens nothing unless given."""
    number = next(_numbers)
    person = Person(
        email=email or f"person{number}@example.test",
        name=values.pop("name", f"Orang {number}"),
        password_hash=values.pop("password_hash", "!"),
        **values,
    )
    db.session.add(person)
    db.session.flush()
    return person


def make_member(role: str, *, facility: Facility | None = None, **values: Any) -> Person:
    """A person with one role, for `facility` or for all."""
    person = make_person(**values)
    db.session.add(Membership(person_id=person.id, role=role, facility_id=facility.id if facility else None))
    db.session.flush()
    return person


def make_facility(code: str | None = None, **values: Any) -> Facility:
    number = next(_numbers)
    code = code or f"F{number:03d}"
    province = values.pop("province", "Jawa Tengah")
    facility = Facility(
        code=code,
        slug=values.pop("slug", f"lapas-{code.lower()}"),
        name=values.pop("name", f"Lapas {code}"),
        kind=values.pop("kind", "lapas"),
        class_=values.pop("class_", "IIA"),
        regional_office=values.pop("regional_office", province),
        province_id=db.session.execute(select(Province.id).where(Province.name == province)).scalar_one(),
        city=values.pop("city", "Pekalongan"),
        time_zone=values.pop("time_zone", "Asia/Jakarta"),
        **values,
    )
    db.session.add(facility)
    db.session.flush()
    return facility


def make_workshop(facility: Facility | None = None, name: str | None = None, **values: Any) -> Workshop:
    """A workshop that may sell; with `sells_undeclared_until=None` only once it is declared."""
    facility = facility or make_facility()
    values.setdefault("sells_undeclared_until", datetime.date(2999, 12, 31))
    workshop = Workshop(facility_id=facility.id, name=name or f"Bengkel {next(_numbers)}", **values)
    db.session.add(workshop)
    db.session.flush()
    return workshop


def make_category(slug: str = "kerajinan", name: str = "Kerajinan", name_en: str = "Crafts") -> Category:
    """The category with this slug, made if it is missing."""
    category = db.session.scalar(select(Category).where(Category.slug == slug))
    if category is None:
        category = Category(slug=slug, name=name, name_en=name_en)
        db.session.add(category)
        db.session.flush()
    return category


def make_product(workshop: Workshop | None = None, **values: Any) -> Product:
    """A published product without variants."""
    number = next(_numbers)
    workshop = workshop or make_workshop()
    title = values.pop("title", f"Kursi kayu {number}")
    product = Product(
        facility_id=workshop.facility_id,
        workshop_id=workshop.id,
        category_id=values.pop("category_id", None) or make_category().id,
        slug=values.pop("slug", f"karya-{number}"),
        title=title,
        title_en=values.pop("title_en", f"Wooden chair {number}"),
        status=values.pop("status", "published"),
        published_at=values.pop("published_at", NOW),
        **values,
    )
    db.session.add(product)
    db.session.flush()
    return product


def make_variant(product: Product | None = None, *, stock: int = 0, **values: Any) -> Variant:
    """A variant with `stock` pieces in its facility's store; or made to order with `made_to_order=True`."""
    number = next(_numbers)
    product = product or make_product()
    variant = Variant(
        product_id=product.id,
        sku=values.pop("sku", f"SKU-{number:04d}"),
        price=values.pop("price", 100_000),
        weight_g=values.pop("weight_g", 500),
        lead_time_days=values.pop("lead_time_days", 7 if values.get("made_to_order") else None),
        **values,
    )
    db.session.add(variant)
    db.session.flush()
    if not variant.made_to_order:
        location_id = store_location_id(product.facility_id)
        move(variant.id, location_id, stock, MovementReason.MADE)
    return variant


def make_photo(product: Product, **values: Any) -> Photo:
    photo = Photo(
        product_id=product.id,
        key=values.pop("key", f"test/{next(_numbers)}"),
        widths=values.pop("widths", [160, 320]),
        width=320,
        height=320,
        alt=values.pop("alt", "Kursi kayu cokelat"),
        **values,
    )
    db.session.add(photo)
    db.session.flush()
    return photo


def make_rule(
    shares: dict[str, int] | None = None,
    *,
    basis: str = "net",
    valid_from: datetime.date = datetime.date(2016, 1, 1),
    valid_to: datetime.date | None = None,
    facility: Facility | None = None,
    approved: bool = True,
    **values: Any,
) -> SplitRule:
    """An approved split rule; by default premium 50, working capital 35, state revenue 15 per cent of net."""
    shares = shares or {"premium": 5000, "working_capital": 3500, "state_revenue": 1500}
    funds = {row.code: row.id for row in db.session.execute(select(Fund.code, Fund.id))}
    rule = SplitRule(
        basis=basis,
        valid_from=valid_from,
        valid_to=valid_to,
        legal_basis="Keputusan Menteri Kehakiman M.01-PP.02.01 Tahun 1990",
        facility_id=facility.id if facility else None,
        proposed_by=make_person().id,
        approved_by=make_person().id if approved else None,
        approved_at=NOW if approved else None,
        shares=[
            SplitRuleShare(position=position, fund_id=funds[code], basis_points=points)
            for position, (code, points) in enumerate(shares.items(), start=1)
        ],
        **values,
    )
    db.session.add(rule)
    db.session.flush()
    return rule


def method_id(code: str = "regular") -> int:
    return db.session.execute(select(ShippingMethod.id).where(ShippingMethod.code == code)).scalar_one()


def make_order(*wishes: tuple[Variant, int], shipping: int = 10_000, **values: Any) -> Order:
    """An unpaid order placed by the real rule: `(variant, quantity)` wishes, `shipping` for each parcel."""
    method = method_id()
    facility_ids = {
        db.session.execute(select(Product.facility_id).where(Product.id == variant.product_id)).scalar_one()
        for variant, _ in wishes
    }
    number = next(_numbers)
    return place(
        [PricedLine(variant.id, quantity, variant.price) for variant, quantity in wishes],
        contact=values.pop("contact", Contact("Sari", f"sari{number}@example.test", "+628123456789")),
        address=values.pop(
            "address", Address("Jl. Melati 1", "Pekalongan Barat", "Pekalongan", "Jawa Tengah", "51111")
        ),
        shipping={
            facility_id: ParcelShipping(method, is_pickup=False, amount=shipping, days_min=1, days_max=3)
            for facility_id in facility_ids
        },
        **values,
    )


def make_paid_order(*wishes: tuple[Variant, int], paid_at: datetime.datetime | None = None, **values: Any) -> Order:
    """An order paid in the sandbox by the real rules, at `paid_at` or now."""
    if paid_at is not None:
        values.setdefault("placed_at", paid_at)
    order = make_order(*wishes, **values)
    payment = open_payment(order)
    record_payment(payment.id, reference=payment.id, amount=payment.amount, at=paid_at)
    db.session.flush()
    return order
