"""What buyers said of what they received, what people asked, what was answered, and what waits for a curator."""

from __future__ import annotations

import datetime
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from storefront import content_rule
from storefront.audit.models import AuditEvent
from storefront.catalogue.models import Category, Product
from storefront.demo import files
from storefront.demo.bulk import insert_for_ids, insert_rows
from storefront.demo.moments import at, days
from storefront.enquiries.models import Enquiry, EnquiryContact, EnquiryMessage
from storefront.extensions import db
from storefront.media import pictures
from storefront.media.storage import private_files, public_files
from storefront.moderation.models import ItemState, ModerationItem
from storefront.orders.models import Order, OrderAddress, OrderLine, Parcel, ParcelLine
from storefront.reviews.models import Review, ReviewPhoto, ReviewReply
from storefront.shipping.shown_city import plain_city

NOTES = {
    ItemState.REFUSED: "Memuat nomor, tautan, atau ajakan membayar di luar toko.",
    ItemState.HELD: "Tanya dulu kepada lapasnya.",
}
#: Of the lines that were received, how many were reviewed; of the products, how many were asked about.
REVIEWED, ASKED = 0.5, 0.55
#: Where those live who only ask.
CITIES = ("Semarang", "Surabaya", "Bandung", "Makassar", "Medan", "Denpasar", "Yogyakarta", "Jakarta", "Balikpapan")


@dataclass(frozen=True)
class Bought:
    """A line that has arrived."""

    line_id: int
    product_id: int
    facility_id: int
    picture: str
    group: str
    city: str
    locale: str
    received_at: datetime.datetime


class Voices:
    """Writes the voices of one demo; the same seed gives the same."""

    def __init__(self, keepers: dict[int, int], office: int, curator: int, today: datetime.date, seed: str) -> None:
        """`keepers`: who answers, by facility id; elsewhere the office does."""
        self.keepers, self.office, self.curator, self.today = keepers, office, curator, today
        self.rng = random.Random(f"{seed}:voices")
        self.words = files.toml("voices.toml")
        self.items: list[dict[str, Any]] = []
        #: What was said of a product already.
        self.used: dict[int, set[str]] = {}

    def write(self) -> None:
        """Reviews, questions, and the queue."""
        self._reviews()
        self._questions()
        insert_rows(ModerationItem, self.items)
        insert_rows(AuditEvent, [_audit(item) for item in self.items if item["decided_by"]])

    def _reviews(self) -> None:
        bought = [line for line in self._bought() if self.rng.random() < REVIEWED]
        waiting = list(self.words["waiting"]["reviews"])
        means: dict[int, float] = {}
        rows, said = [], []
        for number, line in enumerate(bought):
            mean = means.setdefault(line.product_id, self.rng.choice((3.4, 4.1, 4.6, 4.9)))
            stars = min(5, max(1, round(self.rng.gauss(mean, 0.7))))
            is_late = len(bought) - number <= len(waiting)
            body = waiting[len(bought) - number - 1] if is_late else self._said(line, stars)
            written = min(line.received_at + days(self.rng.randrange(1, 6)), at(self.today - days(1), 16))
            said.append((body, is_late, written))
            rows.append(
                {
                    "order_line_id": line.line_id, "product_id": line.product_id, "facility_id": line.facility_id,
                    "stars": 5 if is_late else stars, "body": body, "city": line.city,
                    "locale": "id" if is_late else line.locale,
                    "is_shown": not is_late, "created_at": written, "updated_at": written,
                }
            )  # fmt: skip
        ids = insert_for_ids(Review, rows)
        for review_id, line, (body, is_late, written) in zip(ids, bought, said, strict=True):
            reasons = content_rule.reasons(body) or (["new_text"] if body else [])
            self._item("review", review_id, line.facility_id, reasons, written, is_open=is_late)
        each = zip(ids, bought, rows, strict=True)
        told = [(review_id, line, row) for review_id, line, row in each if row["body"] and row["is_shown"]]
        self._replies(told)
        self._photos(told)

    def _said(self, line: Bought, stars: int) -> str:
        """The words of a review; many give stars alone, and nobody repeats another."""
        pool = self.words["reviews"][line.group]
        if self.rng.random() < 0.33:
            return ""
        mood = "en" if line.locale == "en" else "good" if stars >= 4 else "fair" if stars == 3 else "poor"
        used = self.used.setdefault(line.product_id, set())
        left = [text for text in pool[mood] if text not in used]
        if not left:
            return ""
        said: str = self.rng.choice(left)
        used.add(said)
        return said

    def _replies(self, told: Sequence[tuple[int, Bought, dict[str, Any]]]) -> None:
        rows, facilities = [], []
        for review_id, line, row in told:
            if self.rng.random() < (0.25 if row["stars"] >= 4 else 0.7):
                moment = min(row["created_at"] + days(2), at(self.today - days(1), 17))
                rows.append(
                    {
                        "review_id": review_id, "person_id": self.keepers.get(line.facility_id, self.office),
                        "body": self.rng.choice(self.words["replies"]["good" if row["stars"] >= 4 else "poor"]),
                        "is_shown": True, "created_at": moment, "updated_at": moment,
                    }
                )  # fmt: skip
                facilities.append(line.facility_id)
        for reply_id, row, facility in zip(insert_for_ids(ReviewReply, rows), rows, facilities, strict=True):
            self._item("reply", reply_id, facility, [], row["created_at"], is_open=False)

    def _photos(self, told: Sequence[tuple[int, Bought, dict[str, Any]]]) -> None:
        """The latest reviews with words have pictures; the last two of these wait."""
        chosen = told[-5:]
        rows = []
        for number, (review_id, line, _row) in enumerate(chosen):
            name = self.rng.randbytes(17).hex()
            content = (files.PICTURES / f"{line.picture}.webp").read_bytes()
            picture, key = pictures.inspect(content), f"photos/{name[:2]}/{name[2:]}"
            is_shown = number < len(chosen) - 2
            for file, made in pictures.encode(content).items():
                target = key + file.removeprefix(picture.key)
                private_files().write(target, made)
                if is_shown:
                    public_files().write(target, made)
            rows.append(
                {
                    "review_id": review_id, "position": 1, "key": key, "widths": list(picture.widths),
                    "width": picture.width, "height": picture.height, "state": "ready", "is_shown": is_shown,
                    "alt": files.toml("pictures.toml")[line.picture][0],
                }
            )  # fmt: skip
        for photo_id, row, (_id, line, review) in zip(insert_for_ids(ReviewPhoto, rows), rows, chosen, strict=True):
            self._item(
                "photo", photo_id, line.facility_id, ["new_photo"], review["created_at"], is_open=not row["is_shown"]
            )

    def _questions(self) -> None:
        waiting = self.words["waiting"]
        products = db.session.execute(
            select(Product.id, Product.facility_id, Category.slug)
            .join(Category, Category.id == Product.category_id)
            .where(Product.status == "published")
            .order_by(Product.id)
            .limit(len(files.products()))
        ).all()
        for product_id, facility_id, category in products:
            group = self.words["groups"].get(category, "craft")
            pairs = self.rng.sample(self.words["questions"][group], self.rng.randrange(1, 3))
            for pair in pairs if self.rng.random() < ASKED else ():
                asked = at(self.today - days(self.rng.randrange(5, 120)), self.rng.randrange(8, 20))
                self._thread(product_id, facility_id, asked, tuple(pair))
        own = [row for row in products if row.facility_id in self.keepers] or products
        recent = at(self.today - days(2), 9)
        for number, body in enumerate(self.words["questions"]["open"]):
            row = own[number % len(own)]
            self._thread(row.id, row.facility_id, recent, (body,), email="sari.contoh@example.test")
        states = {waiting["held"]: ItemState.HELD, waiting["refused"]: ItemState.REFUSED}
        for number, body in enumerate([*waiting["questions"], *states]):
            row, state = own[(number + 3) % len(own)], states.get(body)
            self._thread(row.id, row.facility_id, recent + days(1), (body,), state=state, is_open=state is None)
        row = own[-1]
        lines = ("Bisa kirim ke luar pulau?", waiting["answers"][0])
        self._thread(row.id, row.facility_id, recent, lines, is_open=True)

    def _thread(
        self,
        product_id: int,
        facility_id: int,
        asked: datetime.datetime,
        lines: tuple[str, ...],
        *,
        email: str | None = None,
        state: ItemState | None = None,
        is_open: bool = False,
    ) -> None:
        """A question, and its answer if there is one. `is_open`: its last line waits for a curator."""
        (enquiry_id,) = insert_for_ids(
            Enquiry,
            [
                {
                    "kind": "question", "facility_id": facility_id, "product_id": product_id, "is_public": True,
                    "is_buyer": self.rng.random() < 0.3, "city": self.rng.choice(CITIES), "locale": "id",
                    "created_at": asked,
                }
            ],
        )  # fmt: skip
        if email:
            insert_rows(EnquiryContact, [{"enquiry_id": enquiry_id, "email": email}])
        for number, body in enumerate(lines):
            moment = asked + days(number)
            waits = number == len(lines) - 1 and (is_open or state is not None)
            person = self.keepers.get(facility_id, self.office) if number else None
            (message_id,) = insert_for_ids(
                EnquiryMessage,
                [
                    {
                        "enquiry_id": enquiry_id, "author": "facility" if number else "asker", "person_id": person,
                        "body": body, "is_shown": not waits, "created_at": moment,
                        "request_key": f"demo-{enquiry_id}-{number}-{self.rng.randbytes(6).hex()}",
                    }
                ],
            )  # fmt: skip
            reasons = content_rule.reasons(body)
            kind = "answer" if number else "question"
            self._item(kind, message_id, facility_id, reasons, moment, is_open=waits, decided=state if waits else None)

    def _item(
        self,
        kind: str,
        subject_id: int,
        facility_id: int,
        reasons: list[str],
        submitted: datetime.datetime,
        *,
        is_open: bool,
        decided: ItemState | None = None,
    ) -> None:
        """What the queue knows of it: read by the curator on the day after, unless it waits or needed nobody."""
        state = decided or (ItemState.WAITING if is_open else ItemState.APPROVED if reasons else ItemState.PASSED)
        is_decided = state in (ItemState.APPROVED, ItemState.REFUSED, ItemState.HELD)
        self.items.append(
            {
                "kind": kind, "subject_id": subject_id, "facility_id": facility_id, "state": state.value,
                "reasons": reasons, "note": NOTES.get(state, ""), "submitted_at": submitted,
                "decided_at": min(submitted + days(1), at(self.today - days(1), 17)) if is_decided else None,
                "decided_by": self.curator if is_decided else None,
            }
        )  # fmt: skip

    def _bought(self) -> list[Bought]:
        first = {row.sku: row for row in files.products()}
        rows = db.session.execute(
            select(
                OrderLine.id, OrderLine.product_id, OrderLine.facility_id, OrderLine.sku, Category.slug,
                OrderAddress.city, Order.locale, func.max(Parcel.received_at),
            )
            .join(ParcelLine, ParcelLine.order_line_id == OrderLine.id)
            .join(Parcel, Parcel.id == ParcelLine.parcel_id)
            .join(Order, Order.id == OrderLine.order_id)
            .join(Product, Product.id == OrderLine.product_id)
            .join(Category, Category.id == Product.category_id)
            .outerjoin(OrderAddress, OrderAddress.order_id == Order.id)
            .where(Parcel.state == "received", Order.channel == "online")
            .group_by(OrderLine.id, Category.slug, OrderAddress.city, Order.locale)
            .order_by(func.max(Parcel.received_at), OrderLine.id)
        )  # fmt: skip
        found = []
        for line_id, product_id, facility_id, sku, category, city, locale, received_at in rows:
            assert received_at is not None  # the database holds that of what was received
            row = next((first[stem] for stem in (sku, sku.rpartition("-")[0]) if stem in first), None)
            picture = row.pictures[0] if row else "box"
            group = self.words["groups"].get(category, "craft")
            found.append(
                Bought(line_id, product_id, facility_id, picture, group, plain_city(city or ""), locale, received_at)
            )
        return found


def _audit(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": item["decided_at"],
        "person_id": item["decided_by"],
        "action": f"moderation.{item['state']}",
        "subject_kind": item["kind"],
        "subject_id": str(item["subject_id"]),
        "facility_id": item["facility_id"],
        "details": {"before": {"state": "waiting"}, "after": {"state": item["state"], "note": item["note"]}},
    }
