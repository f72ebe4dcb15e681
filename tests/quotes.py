"""A facility with an enquiry, and quotes for it."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from storefront.books import proof
from storefront.catalogue.models import Category, Variant
from storefront.days import today
from storefront.enquiries.models import Enquiry, EnquiryContact, EnquiryFile, EnquiryMessage
from storefront.extensions import db
from storefront.facilities.models import Facility, Workshop
from storefront.moderation.queue import submit
from storefront.orders.place import Address
from storefront.people.models import Person
from storefront.quotes import write
from storefront.quotes.accept import Accepted
from storefront.quotes.models import Quote
from storefront.quotes.write import Draft, LineDraft
from tests.factories import (
    PDF,
    make_category,
    make_facility,
    make_member,
    make_person,
    make_product,
    make_rule,
    make_variant,
    make_workshop,
    method_id,
)

HOME = Address("Jl. Melati 1", "Pekalongan Barat", "Pekalongan", "Jawa Tengah", "51111")
SARI = Accepted("Sari Dewi", "Kepala Bagian Umum", "Hotel Melati", "sari@hotel.test", address=HOME)


@dataclass(frozen=True)
class Shop:
    """A facility that sells, its coordinator, and somebody who asked."""

    facility: Facility
    workshop: Workshop
    coordinator: Person
    chair: Variant
    category: Category
    enquiry: Enquiry

    def lines(self, quantity: int = 20) -> list[LineDraft]:
        """So many listed chairs made for it, and a desk in words."""
        return [
            LineDraft(quantity, 90_001, sku=self.chair.sku, lead_time_days=30),
            LineDraft(
                3, 1_250_000, title="Meja rapat jati 240 cm", workshop_id=self.workshop.id, lead_time_days=45,
                category_id=self.category.id, material_cost=400_000, weight_g=40_000,
            ),
        ]  # fmt: skip


def open_shop(code: str = "TGG") -> Shop:
    """Committed."""
    make_rule()
    facility = make_facility(code)
    workshop = make_workshop(facility)
    coordinator = make_member("coordinator", facility=facility, email=f"tamu@{code.lower()}.test")
    chair = make_variant(make_product(workshop), stock=5, price=100_000)
    enquiry = ask(facility)
    found = Shop(facility, workshop, coordinator, chair, make_category(), enquiry)
    db.session.commit()
    return found


def ask(facility: Facility, key: str = "a-form-key-of-a-large-order-00001") -> Enquiry:
    enquiry = Enquiry(kind="large_order", facility_id=facility.id, is_public=False, locale="id", city="Pekalongan")
    db.session.add(enquiry)
    db.session.flush()
    db.session.add(EnquiryContact(enquiry_id=enquiry.id, email="sari@hotel.test"))
    message = EnquiryMessage(
        enquiry_id=enquiry.id, author="asker", body="Kami butuh dua puluh kursi.", is_shown=True, request_key=key
    )
    db.session.add(message)
    db.session.flush()
    submit("question", message.id, facility_id=facility.id)
    db.session.flush()
    return enquiry


def sent(shop: Shop, *, lines: Sequence[LineDraft] | None = None, **values: object) -> Quote:
    """A quote that was sent; committed."""
    quote = write.begin(shop.enquiry, shop.coordinator.id)
    draft = Draft(
        shop.lines() if lines is None else lines,
        valid_until=today() + datetime.timedelta(days=14),
        **({"method_id": method_id(), "shipping_amount": 250_000} | values),  # type: ignore[arg-type]
    )
    write.save(quote, draft, shop.coordinator.id)
    write.send(quote, shop.coordinator.id)
    db.session.commit()
    return quote


def quoted_things(facility: Facility, sku: str, enquiry_id: int) -> dict[str, object]:
    """A quote of the facility that was sent, and a file beside one of its threads, by the parts of their addresses."""
    content = PDF.replace(b"Catalog", f"Catalog{facility.code}".encode())
    file = EnquiryFile(enquiry_id=enquiry_id, key=proof.keep("enquiries", content), size=len(content))
    db.session.add(file)
    enquiry = ask(facility, f"a-form-key-of-{facility.code}-large-order-01")
    quote = write.begin(enquiry, make_person().id)
    lines = [LineDraft(2, 50_000, sku=sku, lead_time_days=10)]
    write.save(quote, Draft(lines, today(), method_id()), quote.written_by)
    write.send(quote, quote.written_by)
    db.session.commit()
    return {"quote_id": quote.id, "file_id": file.id, "key": "quote-0"}
