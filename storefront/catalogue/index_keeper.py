"""Keeps each process's copy of the listings at the catalogue's version.

Read whole once, in packed columns; then only what transactions changed since. One statement says both, in one
snapshot, so that the copy is always some state that the database was in.
"""

# ruff: noqa: S608 — the pieces put together are this file's own; what people typed is bound

from __future__ import annotations

import threading
import time
from typing import Any

from sqlalchemy import text

from storefront import sources
from storefront.catalogue import version as versions
from storefront.catalogue.known_words import KnownWords
from storefront.catalogue.listing_index import COLUMNS, ListingIndex, Names, Reading, unpacked
from storefront.catalogue.version import CatalogueVersion
from storefront.extensions import db

#: Seconds after which the copy is held against the number of listings: it can only be wrong by a fault of ours,
#: or of whoever writes past the triggers, and is read anew then.
CHECK_EVERY = 600

#: `changed_in` below the newest transaction: rows restored from another server's dump carry numbers yet to come.
SINCE = """ >= CAST(:since AS xid8) AND {} < pg_snapshot_xmax(pg_current_snapshot())"""

READ = """
SELECT v.version, v.raised_by::text AS raised_by, pg_snapshot_xmin(pg_current_snapshot())::text AS reached,
       pg_current_xact_id_if_assigned() IS NOT NULL AS is_writing,
       concat(pg_postmaster_start_time(), ' ', CAST(to_regclass('listings') AS oid)) AS birth,
       (SELECT json_agg(json_build_object('id', c.id, 'parent_id', c.parent_id, 'slug', c.slug, 'name', c.name,
                 'name_en', c.name_en) ORDER BY c.position, c.name) FROM categories c
         WHERE c.archived_at IS NULL) AS categories,
       (SELECT json_object_agg(c.slug, t.slug)
          FROM categories c JOIN categories t ON t.id = c.merged_into_id) AS merged,
       (SELECT json_agg(json_build_object('id', g.id, 'code', g.code, 'name', g.name, 'name_en', g.name_en)
                 ORDER BY g.position, g.name) FROM commodity_groups g) AS groups,
       (SELECT json_agg(json_build_object('id', f.id, 'slug', f.slug, 'code', f.code, 'name', f.name, 'city', f.city,
                 'province', p.name, 'kind', f.kind) ORDER BY f.name)
          FROM facilities f JOIN provinces p ON p.id = f.province_id WHERE f.status = 'active') AS facilities,
       (SELECT json_agg(s.term) FROM synonyms s WHERE strpos(s.term, ' ') > 0) AS phrases,
       (SELECT md5(string_agg(s.group_id || ' ' || s.term, ',' ORDER BY s.term)) FROM synonyms s) AS synonyms,
       {total} AS total, {gone} AS gone, n.*
  FROM catalogue_version v CROSS JOIN (
       SELECT string_agg(int8send(l.product_id), '') AS ids,
              string_agg(int8send((extract(epoch FROM l.published_at) * 1000000)::bigint), '') AS published,
              string_agg(int4send(l.category_id::int), '') AS category,
              string_agg(int4send(l.facility_id::int), '') AS facility,
              string_agg(int4send(COALESCE(l.commodity_group_id, 0)::int), '') AS "group",
              string_agg(int4send(l.workshop_id::int), '') AS workshop,
              string_agg(int4send(array_position(ARRAY['sold_out', 'ready', 'few_left', 'made_to_order'], l.state) - 1),
                         '') AS state,
              string_agg(int4send(l.price_from::int), '') AS price_from,
              string_agg(int4send(l.price_to::int), '') AS price_to,
              string_agg(int4send((CASE WHEN l.reviews > 0 THEN l.stars * 20 / l.reviews ELSE 0 END)::int), '')
                         AS rating,
              string_agg(int4send((CASE WHEN l.reviews > 0 THEN (l.stars * 2 + 35) * 500 / (l.reviews + 5) ELSE 0 END)
                         ::int), '') AS score
         FROM (SELECT * FROM listings {where} ORDER BY published_at, product_id) l) n"""
EVERYTHING = READ.format(total="NULL", gone="NULL", where="")
CHANGES = {
    is_counted: READ.format(
        total="(SELECT count(*) FROM listings)" if is_counted else "NULL",
        gone=f"""(SELECT json_agg(g.product_id) FROM listings_gone g WHERE g.gone_in {SINCE.format("g.gone_in")}
                     AND NOT EXISTS (SELECT FROM listings l WHERE l.product_id = g.product_id))""",
        where=f"WHERE changed_in {SINCE.format('changed_in')}",
    )
    for is_counted in (False, True)
}


class IndexKeeper:
    """The copy of one process; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[ListingIndex, KnownWords] | None = None
        self._checked_at = 0.0

    def get(self, version: CatalogueVersion) -> tuple[ListingIndex, KnownWords]:
        """The listings and the words known of them, at `version` or later."""
        kept = self._kept
        if kept is not None and kept[0].version == version:
            return kept
        with self._lock:
            if self._kept is not None and self._kept[0].version == version:
                return self._kept
            found, is_ours_alone = self._followed() or self._read_anew()
            if not is_ours_alone:
                self._kept = found
            return found

    def _followed(self) -> tuple[tuple[ListingIndex, KnownWords], bool] | None:
        """The copy brought up to date; None when that is not possible."""
        if self._kept is None:
            return None
        index, words = self._kept
        is_counted = time.monotonic() - self._checked_at > CHECK_EVERY
        reading, is_writing = _read(CHANGES[is_counted], {"since": index.reached})
        if is_writing or reading.birth != index.birth or reading.version.number < index.version.number:
            return None
        newer = index.followed_by(reading)
        if newer is None:
            return None
        if is_counted:
            self._checked_at = time.monotonic()
        return (newer, words.followed(index, newer, reading.columns["ids"])), False

    def _read_anew(self) -> tuple[tuple[ListingIndex, KnownWords], bool]:
        """Everything, and whether it holds what this transaction alone has written and must not be kept."""
        reading, is_writing = _read(EVERYTHING, {})
        self._checked_at = time.monotonic()
        return (ListingIndex.of(reading), KnownWords()), is_writing


def current(version: CatalogueVersion | None = None) -> tuple[ListingIndex, KnownWords]:
    """The listings at `version` or later, and what is known of words; None: as they are now."""
    return sources.kept("listing_index", IndexKeeper).get(version or versions.read())


def _read(statement: str, parameters: dict[str, Any]) -> tuple[Reading, bool]:
    row = db.session.execute(text(statement), parameters).one()
    names = Names(
        categories=row.categories or [],
        groups=row.groups or [],
        facilities=row.facilities or [],
        phrases=frozenset(tuple(term.split()) for term in row.phrases or []),
        synonyms=row.synonyms or "",
        merged=row.merged or {},
    )
    reading = Reading(
        version=CatalogueVersion(row.version, row.raised_by),
        reached=row.reached,
        birth=row.birth,
        names=names,
        columns={name: unpacked(kind, getattr(row, name)) for name, kind in COLUMNS.items()},
        gone=row.gone or [],
        total=row.total,
    )
    return reading, row.is_writing
