"""What lies on a curator's table and in a kitchen's store: listings on their way, and batches of food.

Everything goes through the shop's own code, after the rest was committed. All of it is invented.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, text

from storefront.audit.record import dated
from storefront.catalogue.models import Product
from storefront.demo.moments import at, days
from storefront.extensions import db
from storefront.listings import drafts, review
from storefront.listings.models import ListingDraft
from storefront.listings.read import listing_of
from storefront.listings.typed import blank_variant, typed
from storefront.orders import recall
from storefront.stock.batch_models import Batch, BatchPieces

#: The facility that people look at first, another, and one whose coordinator keeps food in stock.
OWN, OTHER, KITCHEN = "PKL", "PLP", "BJB"
#: Things of a facility that are public and no food, the newest first.
LISTED = text(
    """SELECT p.id FROM products p JOIN facilities f ON f.id = p.facility_id
        WHERE f.code = :code AND p.status = 'published' AND EXISTS (SELECT FROM photos ph WHERE ph.product_id = p.id)
          AND NOT EXISTS (SELECT FROM product_foods x WHERE x.product_id = p.id)
          AND NOT EXISTS (SELECT FROM listing_drafts d WHERE d.product_id = p.id)
          AND product_lacks(p.id, accounting_date(now())) = '{}'
        ORDER BY p.published_at DESC, p.id DESC LIMIT :number"""
)
#: Food in stores, with what lies there free.
FOOD = text(
    """SELECT p.id AS product_id, p.facility_id, f.code, v.id AS variant_id, x.shelf_life_days,
              s.on_hand - s.reserved AS free
         FROM product_foods x JOIN products p ON p.id = x.product_id AND p.status = 'published'
         JOIN facilities f ON f.id = p.facility_id
         JOIN variants v ON v.product_id = p.id AND v.is_active AND NOT v.made_to_order
         JOIN stock_locations l ON l.facility_id = p.facility_id
         JOIN stock_levels s ON s.variant_id = v.id AND s.location_id = l.id
        WHERE s.on_hand - s.reserved >= 4 ORDER BY f.code = :own DESC, p.id, v.id LIMIT 12"""
)
#: Parcels with that food that went out lately.
SENT = text(
    """SELECT pl.parcel_id, pl.order_line_id, pl.quantity, accounting_date(p.shipped_at) AS sent_on
         FROM parcel_lines pl
         JOIN order_lines l ON l.id = pl.order_line_id AND l.variant_id = :variant
         JOIN parcels p ON p.id = pl.parcel_id AND p.state IN ('shipped', 'received')
              AND p.shipped_at > now() - interval '40 days'
        WHERE pl.quantity > 0 ORDER BY p.shipped_at DESC, pl.parcel_id LIMIT 3"""
)
NOTE = text(
    """INSERT INTO parcel_batches (parcel_id, order_line_id, batch_id, pieces)
       VALUES (:parcel_id, :order_line_id, :batch, :quantity)"""
)
#: Nothing of the demo says when it was loaded, and no letter of its past waits for the worker.
LOADED = (
    """UPDATE listing_drafts SET created_at = :moment, changed_at = :moment,
              submitted_at = CASE WHEN submitted_at = now() THEN :moment ELSE submitted_at END,
              decided_at = CASE WHEN decided_at = now() THEN :moment ELSE decided_at END WHERE created_at = now()""",
    """UPDATE listing_decisions SET submitted_at = :moment, decided_at = :moment WHERE decided_at = now()""",
    "UPDATE listing_news SET created_at = :moment WHERE created_at >= now()",
    "UPDATE notices SET created_at = :moment WHERE created_at >= now()",
    """UPDATE batches SET created_at = :moment, asked_at = CASE WHEN asked_at >= now() THEN :moment ELSE asked_at END
        WHERE created_at >= now()""",
    """UPDATE messages
          SET created_at = :moment, sent_at = CAST(:moment AS timestamptz) + interval '4 seconds', attempts = 1
        WHERE created_at = now() AND sent_at IS NULL""",
)


@dataclass
class Drafted:
    """Writes the drafts of two facilities, and what a curator did with them."""

    keepers: Mapping[str, int]
    curator: int
    today: datetime.date
    used: set[int] = field(default_factory=set)

    def write(self) -> None:
        self.new_one(OTHER, "Kotak pensil kayu", "Wooden pencil box", "65.000")
        returned = self.new_one(OWN, "Tas belanja kanvas", "", "1.250.000")
        review.send_back(
            returned.id,
            returned.version,
            {"variants.0.price": "Jauh di atas tas lain. Periksa angka nolnya.", "photos.0": "Fotonya agak gelap."},
            "Karyanya bagus; tinggal dua hal ini.",
            person_id=self.curator,
        )
        planned = self.new_one(
            OWN, "Sarung bantal lurik", "Lurik cushion cover", "85.000", publish_at=at(self.today + days(3), 8)
        )
        review.approve(planned.id, planned.version, person_id=self.curator)
        self.proposal()
        _long_ago(self.today)
        db.session.commit()

    def new_one(
        self, code: str, title: str, title_en: str, price: str, publish_at: datetime.datetime | None = None
    ) -> ListingDraft:
        """A new thing, like one that is public, handed over."""
        like = self._next(code)
        listing = listing_of(like)
        story = "Dibuat di bengkel dari bahan sisa yang masih baik; dijahit rapi, mudah dibersihkan."
        said: dict[str, Any] = {
            **typed(listing),
            "title": title,
            "title_en": title_en,
            "description": story,
            "description_en": "Made in the workshop from good remnants; easy to clean." if title_en else "",
            "options": [],
            "options_en": [],
            "variants": [{**blank_variant(), "price": price, "weight": "450", "stock": "6"}],
        }
        key = f"demo-{title.lower().replace(' ', '-')}"
        draft = drafts.begin(like.facility_id, form_key=key, person_id=self.keepers[code], content=said)
        drafts_of_like = drafts.draft_of(like, person_id=self.keepers[code])
        for photo in drafts_of_like.photos[:2]:
            photo.draft_id, photo.faces = draft.id, 0
        db.session.flush()
        db.session.expire(drafts_of_like, ["photos"])
        db.session.expire(draft, ["photos"])
        drafts.discard(drafts_of_like, person_id=self.keepers[code])
        return review.submit(
            like.facility_id, draft.id, draft.version, person_id=self.keepers[code], publish_at=publish_at
        )

    def proposal(self) -> None:
        """Another text for something public."""
        product, keeper = self._next(OWN), self.keepers[OWN]
        draft = drafts.draft_of(product, person_id=keeper)
        story = f"{product.description}\n\nSekarang dengan jahitan ganda, supaya lebih awet.".strip()
        content = {**draft.content, "title": f"{product.title}, jahitan ganda"[:140], "description": story}
        drafts.save(product.facility_id, draft.id, draft.version, content, person_id=keeper)
        review.submit(product.facility_id, draft.id, draft.version, person_id=keeper)

    def _next(self, code: str) -> Product:
        found = db.session.scalars(LISTED, {"code": code, "number": 8}).all()
        chosen = next(id_ for id_ in found if id_ not in self.used)
        self.used.add(chosen)
        return db.session.get_one(Product, chosen)


def _long_ago(today: datetime.date) -> None:
    db.session.flush()
    for statement in LOADED:
        db.session.execute(text(statement), {"moment": at(today - days(1), 9)})
    db.session.expire_all()


def add(keepers: Mapping[str, int], curator: int, today: datetime.date) -> None:
    """Write all of it down; commits. `keepers`: coordinators' ids by facility code."""
    with dated(at(today - days(1), 9)):
        Drafted(keepers, curator, today).write()
    _batches(keepers, today)
    _long_ago(today)
    db.session.execute(text("DELETE FROM procrastinate_jobs"))  # nothing of it is left for the worker
    db.session.commit()


def _batches(keepers: Mapping[str, int], today: datetime.date) -> None:
    """Two batches of each food; one of a kitchen whose coordinator tries the demo was sent out and is doubted."""
    kitchen: Batch | None = None
    doubted: Batch | None = None
    for row in db.session.execute(FOOD, {"own": KITCHEN}).mappings().all():
        life = min(row["shelf_life_days"] or 60, 300)
        first = today - days(max(2, min(6, life // 3)))
        is_kitchen = row["code"] == KITCHEN
        sent = db.session.execute(SENT, {"variant": row["variant_id"]}).mappings().all() if is_kitchen else []
        first = min([first, *(one["sent_on"] - days(1) for one in sent)])
        older = _batch(row, first, life, row["free"] // 2 + sum(one["quantity"] for one in sent), keepers)
        _batch(row, today - days(1), life, row["free"] - row["free"] // 2, keepers)
        for one in sent:
            db.session.execute(NOTE, {**one, "batch": older.id})  # as packing would have
        if is_kitchen:
            kitchen = kitchen or older
            doubted = doubted or (older if sent else None)
    found = doubted or kitchen
    if found is not None:
        reason = "Segel beberapa bungkus kurang rapat; isinya dapat melempem."
        reason_en = "The seal of some packs is not tight; the content may turn soft."
        with dated(at(today - days(1), 15)):
            recall.hold(found, reason, reason_en, person_id=keepers[KITCHEN])


def _batch(row: Any, made_on: datetime.date, life: int, pieces: int, keepers: Mapping[str, int]) -> Batch:
    code = f"{made_on:%y%m%d}"
    batch = db.session.scalar(select(Batch).where(Batch.product_id == row["product_id"], Batch.code == code))
    if batch is None:
        batch = Batch(
            product_id=row["product_id"],
            code=code,
            made_on=made_on,
            best_before=made_on + days(life),
            created_by=keepers.get(row["code"]),
        )
        db.session.add(batch)
        db.session.flush()
    db.session.add(BatchPieces(batch_id=batch.id, variant_id=row["variant_id"], made=pieces))
    db.session.flush()
    return batch
