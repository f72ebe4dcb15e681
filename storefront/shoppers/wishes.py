"""The wish list: of an account here, of a guest in their browser alone, which names the products when it asks."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from storefront.catalogue.cards import CARD_COLUMNS, CARD_JOINS, ProductCard
from storefront.catalogue.models import Listing, Product
from storefront.errors import DomainError, NotFound
from storefront.extensions import db
from storefront.shoppers.models import Wish

#: On one list; the browser keeps to it too (static/js/app.js).
MOST = 60
#: A product in an address: its slug and, after a tilde, what it cost when it was saved.
ITEM = re.compile(r"([a-z0-9][a-z0-9-]{0,119})(?:~([1-9][0-9]{0,11}))?")
CARDS = f"SELECT {CARD_COLUMNS} FROM listings l {CARD_JOINS} WHERE p.slug = ANY(:slugs)"  # noqa: S608 - own pieces


class WishListFull(DomainError):
    code, status = "wish_list_full", 409
    message = _("Daftar keinginan Anda sudah berisi 60 karya. Keluarkan satu, lalu simpan yang baru.")


@dataclass(frozen=True)
class Wished:
    """A product on a list; `card` is None when it is not on sale any more."""

    slug: str
    card: ProductCard | None
    #: Rupiah when it was saved; None where nobody noted it.
    price_saved: int | None
    saved_at: datetime.datetime | None = None

    @property
    def change(self) -> int:
        """Rupiah by which it costs more now, less when below 0."""
        return self.card.price_from - self.price_saved if self.card and self.price_saved else 0

    @property
    def is_sold_out(self) -> bool:
        return self.card is not None and self.card.available == 0


def of_person(person_id: int, locale: str) -> list[Wished]:
    """The person's list, the latest first."""
    rows = db.session.execute(
        select(Product.slug, Wish.price_saved, Wish.saved_at)
        .join(Product, Product.id == Wish.product_id)
        .where(Wish.person_id == person_id)
        .order_by(Wish.saved_at.desc(), Wish.product_id.desc())
    ).all()
    found = _cards([row.slug for row in rows], locale)
    return [Wished(row.slug, found.get(row.slug), row.price_saved, row.saved_at) for row in rows]


def of_items(items: Mapping[str, int | None], locale: str) -> list[Wished]:
    """The products that an address or a browser names, in its order."""
    found = _cards(list(items), locale)
    return [Wished(slug, found.get(slug), price) for slug, price in items.items()]


def read_items(given: str) -> dict[str, int | None]:
    """`kursi-jati~250000,tas` as slugs with prices; what cannot be one is passed over, and so is what is too much."""
    found: dict[str, int | None] = {}
    for part in given[:12_000].split(","):
        if (match := ITEM.fullmatch(part.strip())) and len(found) < MOST:
            found.setdefault(match[1], int(match[2]) if match[2] else None)
    return found


def slugs_of(person_id: int) -> Sequence[str]:
    """What is on the person's list, for filling hearts."""
    query = select(Product.slug).join(Wish, Wish.product_id == Product.id).where(Wish.person_id == person_id)
    return db.session.scalars(query.order_by(Product.id)).all()


def add(person_id: int, slug: str) -> None:
    """Put a product on the list; one that is there stays as it is. Never commits. Raises NotFound, WishListFull."""
    row = db.session.execute(
        select(Listing.product_id, Listing.price_from)
        .join(Product, Product.id == Listing.product_id)
        .where(Product.slug == slug)
    ).one_or_none()
    if row is None:
        raise NotFound()
    _lock(person_id)
    there = set(slugs_of(person_id))
    if slug in there:
        return
    if len(there) >= MOST:
        raise WishListFull()
    _insert(person_id, row.product_id, row.price_from)


def remove(person_id: int, slug: str) -> None:
    """Take a product off the list. Never commits."""
    product = select(Product.id).where(Product.slug == slug).scalar_subquery()
    db.session.execute(delete(Wish).where(Wish.person_id == person_id, Wish.product_id == product))


def merge(person_id: int, items: Mapping[str, int | None]) -> None:
    """Put what a browser has kept on the person's list, as far as there is room; again changes nothing.

    Never commits.
    """
    _lock(person_id)
    room = MOST - len(slugs_of(person_id))
    rows = db.session.execute(
        select(Product.slug, Listing.product_id, Listing.price_from)
        .join(Product, Product.id == Listing.product_id)
        .where(Product.slug.in_(list(items)))
        .where(Product.id.not_in(select(Wish.product_id).where(Wish.person_id == person_id)))
        .order_by(Product.id)
    ).all()
    for row in rows[:room]:
        _insert(person_id, row.product_id, items[row.slug] or row.price_from)


def forget(person_id: int) -> int:
    """Delete the person's list; how many things were on it."""
    gone = db.session.execute(delete(Wish).where(Wish.person_id == person_id))
    return int(getattr(gone, "rowcount", 0))


def _insert(person_id: int, product_id: int, price: int) -> None:
    values = {"person_id": person_id, "product_id": product_id, "price_saved": price}
    db.session.execute(insert(Wish).values(values).on_conflict_do_nothing())


def _cards(slugs: list[str], locale: str) -> dict[str, ProductCard]:
    rows = db.session.execute(text(CARDS), {"slugs": slugs}).mappings() if slugs else ()
    return {row["slug"]: ProductCard.of(dict(row), locale) for row in rows}


def _lock(person_id: int) -> None:
    """What fills a person's list happens one after the other, so that its limit holds."""
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"wishes:{person_id}", 0))))
