"""A facility's list of threads: those that wait for it first, filtered, sorted and paged."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storefront.extensions import db
from storefront.languages import locale
from storefront.pages import Paged

PAGE = 20
#: Where a thread stands: the asker had the last word; our own answer waits for a curator; answered.
STATES = ("open", "waiting", "answered")
#: Who may read it.
READERS = ("public", "private")
#: Orders of the list; the first where those that wait are looked at, the second elsewhere.
SORTS = {"oldest": "at, id", "newest": "at DESC, id DESC", "last": "last_at DESC, id DESC"}


@dataclass(frozen=True)
class Filters:
    """What of the threads is looked at; None and empty: all."""

    state: str | None = None
    readers: str | None = None
    product_id: int | None = None
    q: str = ""
    sort: str = ""


@dataclass(frozen=True)
class Waiting:
    """A thread in a facility's list."""

    id: int
    #: Empty: about a parcel alone.
    product_title: str
    #: `1234-5678/1`, where it was asked about a parcel.
    parcel_code: str
    first: str
    locale: str
    city: str
    is_buyer: bool
    is_public: bool
    at: datetime.datetime
    #: One of `STATES`.
    state: str
    #: `question` or `large_order`.
    kind: str = "question"


class ThreadPage(Paged[Waiting]):
    size = PAGE


LIST = """
    SELECT e.id, e.kind, COALESCE(p.title, '') AS title, COALESCE(p.title_en, '') AS title_en, e.product_id, e.locale,
           e.city, e.is_buyer, e.is_public, f.body AS first, f.created_at AS at, l.created_at AS last_at,
           COALESCE(o.number || '/' || c.position, '') AS parcel_code,
           CASE WHEN NOT EXISTS (SELECT FROM enquiry_messages m WHERE m.enquiry_id = e.id AND m.author = 'facility')
                  OR l.author = 'asker' THEN 'open'
                WHEN l.is_shown THEN 'answered'
                WHEN i.state = 'refused' THEN 'open' ELSE 'waiting' END AS state
      FROM enquiries e
      LEFT JOIN products p ON p.id = e.product_id
      LEFT JOIN parcels c ON c.id = e.parcel_id
      LEFT JOIN orders o ON o.id = c.order_id
      JOIN LATERAL (SELECT body, created_at FROM enquiry_messages m
                     WHERE m.enquiry_id = e.id AND m.author = 'asker' AND m.is_shown AND m.erased_at IS NULL
                     ORDER BY m.id LIMIT 1) f ON true
      JOIN LATERAL (SELECT id, author, is_shown, created_at FROM enquiry_messages m
                     WHERE m.enquiry_id = e.id AND (m.is_shown OR m.author = 'facility')
                     ORDER BY m.id DESC LIMIT 1) l ON true
      LEFT JOIN moderation_items i ON i.kind = 'answer' AND i.subject_id = l.id AND l.author = 'facility'
     WHERE e.facility_id = :facility"""
CHOSEN = """
    WHERE (CAST(:state AS text) IS NULL OR state = :state)
      AND (CAST(:public AS boolean) IS NULL OR is_public = :public)
      AND (CAST(:product AS bigint) IS NULL OR product_id = :product)
      AND (:words = '' OR first ILIKE :words OR title ILIKE :words OR title_en ILIKE :words
           OR parcel_code ILIKE :words
           OR EXISTS (SELECT FROM enquiry_messages m WHERE m.enquiry_id = t.id AND m.body ILIKE :words
                       AND (m.is_shown OR m.author = 'facility')))"""


def of_facility(facility_id: int, chosen: Filters, page: int = 1) -> ThreadPage:
    """A page of the facility's threads, those that wait for it the oldest first, else the latest first.

    A question that waits for a curator is not in it.
    """
    order = SORTS.get(chosen.sort) or SORTS["oldest" if chosen.state == "open" else "newest"]
    plain = chosen.q.strip()[:100].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    values: dict[str, Any] = {
        "facility": facility_id,
        "state": chosen.state,
        "public": None if chosen.readers is None else chosen.readers == "public",
        "product": chosen.product_id,
        "words": f"%{plain}%" if plain else "",
        "limit": PAGE,
        "skip": (page - 1) * PAGE,
    }
    query = f"SELECT *, count(*) OVER () AS total FROM ({LIST}) t {CHOSEN} ORDER BY {order}"  # noqa: S608
    rows = db.session.execute(text(f"{query} LIMIT :limit OFFSET :skip"), values).mappings().all()
    english = locale() == "en"
    found = [
        Waiting(
            row["id"], (row["title_en"] if english else "") or row["title"], row["parcel_code"], row["first"],
            row["locale"], row["city"], row["is_buyer"], row["is_public"], row["at"], row["state"], row["kind"],
        )
        for row in rows
    ]  # fmt: skip
    return ThreadPage(found, rows[0]["total"] if rows else 0, page)


def open_since(facility_id: int) -> tuple[int, datetime.datetime | None]:
    """How many threads wait for the facility, and since when the first does."""
    query = text(f"SELECT count(*), min(last_at) FROM ({LIST}) t WHERE state = 'open'")  # noqa: S608
    count, since = db.session.execute(query, {"facility": facility_id}).one()
    return int(count), since


def asked_about(facility_id: int) -> list[tuple[int, str]]:
    """The works of the facility that somebody asked about, by title: for the list's filter."""
    rows = db.session.execute(
        text(
            """SELECT p.id, p.title, p.title_en FROM products p
                WHERE p.facility_id = :facility AND EXISTS (SELECT FROM enquiries e WHERE e.product_id = p.id)
                ORDER BY p.title, p.id LIMIT 200"""
        ),
        {"facility": facility_id},
    )
    english = locale() == "en"
    return [(row.id, (row.title_en if english else "") or row.title) for row in rows]
