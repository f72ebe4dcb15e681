"""Large orders: a quote in each state, one of them paid in two parts, and a wish that nobody has answered yet."""

from __future__ import annotations

import datetime
import random
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import exists, select, text

from storefront.audit.record import dated
from storefront.books.fees import book_fee
from storefront.catalogue.models import Product, ShortCode, Variant
from storefront.catalogue.short_codes import ALPHABET, LENGTH
from storefront.demo import provider
from storefront.demo.history import FEE
from storefront.demo.moments import at, days
from storefront.demo.places import Places
from storefront.enquiries.models import Enquiry, EnquiryContact, EnquiryMessage
from storefront.extensions import db
from storefront.moderation.models import ModerationItem
from storefront.orders.instalments import next_unpaid
from storefront.orders.mark_paid import record_payment
from storefront.orders.models import Order
from storefront.orders.numbers import use_random
from storefront.orders.place import Address
from storefront.payments.models import Payment, SandboxPayment
from storefront.quotes import write
from storefront.quotes.accept import Accepted, accept, decline, expire_quotes
from storefront.quotes.models import PaperKind, Quote, QuoteLine
from storefront.quotes.numbers import number_paper
from storefront.shipping.models import ShippingMethod

#: Whose quotes: where people look first.
OF = "PKL"
HOTEL = Accepted(
    "Ratna Wulandari", "Manajer Pembelian", "Hotel Contoh Pekalongan", "pembelian.hotel@example.test", "+628110000321",
    Address("Jl. Contoh 12", "Pekalongan Barat", "Pekalongan", "Jawa Tengah", "51111"),
)  # fmt: skip


@dataclass(frozen=True)
class Wish:
    """What somebody asked for, days ago, and what became of it."""

    body: str
    city: str
    ago: int
    #: `accepted`, `paid`, `declined`, `expired`, `revised`, `sent`, `draft`, or empty: nobody has answered.
    fate: str
    quantity: int = 0


WISHES = (
    Wish("Kami perlu 40 taplak batik untuk ruang makan hotel, ukuran 150 kali 150.", "Pekalongan", 12, "paid", 40),
    Wish("Seratus suvenir untuk rapat kerja bulan depan, dengan kemasan sederhana.", "Semarang", 9, "accepted", 100),
    Wish("Dua puluh lima buah untuk bingkisan pegawai, mohon penawarannya.", "Bandung", 9, "declined", 25),
    Wish("Tiga puluh buah untuk koperasi kantor kami.", "Surabaya", 11, "expired", 30),
    Wish("Enam puluh buah untuk toko oleh-oleh; bila lebih banyak apakah lebih murah?", "Tegal", 8, "revised", 60),
    Wish("Lima belas buah dengan ukuran khusus untuk perpustakaan sekolah.", "Batang", 3, "draft", 15),
    Wish("Kami ingin memesan lima puluh buah untuk penginapan kami sebelum akhir tahun.", "Magelang", 1, ""),
)


def add(sites: Places, keepers: Mapping[str, int], today: datetime.date, seed: str) -> None:
    """`keepers`: coordinators' ids by facility code."""
    facility, keeper = sites.facilities[OF], keepers[OF]
    made = Quoted(facility.id, keeper, today, random.Random(f"{seed}:quoted"))
    for number, wish in enumerate(WISHES, start=1):
        made.write(wish, f"demo-large-order-{seed}-{number}".ljust(24, "-"))
    db.session.flush()
    db.session.execute(
        text("UPDATE messages SET created_at = :at, sent_at = :at, attempts = 1 WHERE subject_kind = 'quote'"),
        {"at": at(today - days(1), 9)},
    )
    db.session.execute(
        text("UPDATE notices SET created_at = :at WHERE kind = 'quote'"), {"at": at(today - days(1), 9)}
    )


class Quoted:
    """Writes the wishes of one facility and their quotes."""

    def __init__(self, facility_id: int, keeper: int, today: datetime.date, rng: random.Random) -> None:
        self.facility_id, self.keeper, self.today, self.rng = facility_id, keeper, today, rng
        self.works = list(
            db.session.execute(
                select(Variant, Product)
                .join(Product, Product.id == Variant.product_id)
                .where(Product.facility_id == facility_id, Product.status == "published", Variant.is_active)
                .order_by(Variant.id)
                .limit(len(WISHES))
            ).all()
        )
        self.method = db.session.scalars(
            select(ShippingMethod.id).where(ShippingMethod.kind == "delivery").order_by(ShippingMethod.position)
        ).first()

    def write(self, wish: Wish, key: str) -> None:
        """The wish, its quote, and what became of that."""
        asked = at(self.today - days(wish.ago), 9, 10)
        enquiry = self._ask(wish, asked, key)
        if not wish.fate:
            return
        moment = asked + datetime.timedelta(hours=5)
        with dated(moment):
            quote = self._quote(enquiry, wish, moment)
            if wish.fate == "draft":
                return
            write.send(quote, self.keeper, at=moment)
        moment += days(1)
        with dated(moment):
            self._end(quote, enquiry, wish, moment)

    def _end(self, quote: Quote, enquiry: Enquiry, wish: Wish, moment: datetime.datetime) -> None:
        if wish.fate == "declined":
            decline(quote.id, at=moment)
        elif wish.fate == "expired":
            # It stood for two days, as it was written then.
            expire_quotes(at=at(quote.valid_until + days(1), 0, 10))
        elif wish.fate == "revised":
            more = Wish(wish.body, wish.city, wish.ago, "sent", wish.quantity * 2)
            write.send(self._quote(enquiry, more, moment, former=quote), self.keeper, at=moment)
        else:
            with use_random(self.rng):
                order = accept(quote.id, HOTEL, at=moment)
            self._codes()
            self._made_then(order, moment)
            self._pay(order, moment + days(1))
            if wish.fate == "paid":
                self._pay(order, moment + days(3))
                for part in order.instalments:
                    number_paper(quote, PaperKind.RECEIPT, instalment_id=part.id, at=moment + days(3))

    def _made_then(self, order: Order, moment: datetime.datetime) -> None:
        """What was made to measure for the order was made when it was placed."""
        db.session.execute(
            text(
                """UPDATE products SET created_at = :at
                    WHERE status = 'archived' AND id IN (SELECT product_id FROM order_lines WHERE order_id = :order)"""
            ),
            {"at": moment, "order": order.id},
        )

    def _codes(self) -> None:
        """Each variant has its code; what was made to measure gets one that follows from the seed."""
        bare = select(Variant.id).where(
            ~exists().where(ShortCode.kind == "variant", ShortCode.target == Variant.id)
        )
        for variant_id in db.session.scalars(bare.order_by(Variant.id)).all():
            code = "".join(self.rng.choices(ALPHABET, k=LENGTH))
            db.session.add(ShortCode(code=code, kind="variant", target=variant_id))
        db.session.flush()

    def _ask(self, wish: Wish, asked: datetime.datetime, key: str) -> Enquiry:
        enquiry = Enquiry(
            kind="large_order", facility_id=self.facility_id, is_public=False, city=wish.city, locale="id",
            created_at=asked,
        )  # fmt: skip
        db.session.add(enquiry)
        db.session.flush()
        message = EnquiryMessage(
            enquiry_id=enquiry.id, author="asker", body=wish.body, is_shown=True, request_key=key, created_at=asked
        )
        db.session.add_all([EnquiryContact(enquiry_id=enquiry.id, email="pembelian.hotel@example.test"), message])
        db.session.flush()
        db.session.add(
            ModerationItem(
                kind="question", subject_id=message.id, facility_id=self.facility_id, state="passed", reasons=[],
                submitted_at=asked,
            )
        )  # fmt: skip
        db.session.flush()
        return enquiry

    def _quote(self, enquiry: Enquiry, wish: Wish, moment: datetime.datetime, former: Quote | None = None) -> Quote:
        stands = 2 if wish.fate == "expired" else 30
        quote = Quote(
            facility_id=self.facility_id,
            enquiry_id=enquiry.id,
            former_id=former.id if former else None,
            written_by=self.keeper,
            written_at=moment,
            valid_until=moment.date() + days(stands),
            method_id=self.method or 0,
            shipping_amount=150_000,
            deposit_bp=4_000,
            notes="Harga sudah termasuk kemasan kardus.",
        )
        db.session.add(quote)
        db.session.flush()
        variant, product = self.works[wish.quantity % len(self.works)]
        quote.lines.append(
            QuoteLine(
                position=1, variant_id=variant.id, title=product.title, workshop_id=product.workshop_id,
                quantity=wish.quantity, unit_price=variant.price * 9 // 10 // 500 * 500 or variant.price,
                lead_time_days=21,
            )
        )  # fmt: skip
        if wish.fate in ("paid", "draft"):
            quote.lines.append(
                QuoteLine(
                    position=2, title="Papan nama ukir, dengan tulisan pesanan", workshop_id=product.workshop_id,
                    category_id=product.category_id, material_cost=35_000, weight_g=900, quantity=2,
                    unit_price=175_000, lead_time_days=14,
                )
            )  # fmt: skip
        db.session.flush()
        return quote

    def _pay(self, order: Order, moment: datetime.datetime) -> None:
        """Pay what is due, at a moment of the past."""
        due = next_unpaid(order.id)
        assert due is not None
        payment = Payment(
            id=self.rng.randbytes(16).hex(), order_id=order.id, instalment_id=due.id, gateway="sandbox",
            amount=due.amount, expires_at=moment + datetime.timedelta(hours=1), created_at=moment,
        )  # fmt: skip
        db.session.add(payment)
        db.session.flush()
        db.session.add(
            SandboxPayment(
                id=payment.id, amount=payment.amount, description=order.number, return_url="/", locale="id",
                state="succeeded", created_at=moment, expires_at=payment.expires_at,
            )
        )  # fmt: skip
        record_payment(payment.id, reference=payment.id, amount=payment.amount, at=moment)
        db.session.flush()
        provider.say(payment.id, "payment.succeeded", moment, self.rng)
        book_fee(payment.id, payment.amount * FEE // 10_000, at=moment)
