"""One category goes into another, with all that it holds. What was sold in it stays as sold.

Products, drafts and proposed versions follow; whoever is saving into the old one at the same moment is waited for, and
who comes later is led on by the database (`living_category`). What the old one asked for is asked of everything in the
new one from then on, and what is public already has 90 days for what its category asks anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import text

from storefront.audit.record import record
from storefront.catalogue import tree
from storefront.catalogue.models import Category
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.listings.needs import needs_of

#: Products whose ids are written into the trail, so that a person could sort them out again.
MOST_RECORDED = 2000

SIZES_OF_PRODUCTS = text("""
    INSERT INTO size_tables (product_id, title, title_en, columns, columns_en, rows, cells, note, note_en)
    SELECT p.id, s.title, s.title_en, s.columns, s.columns_en, s.rows, s.cells, s.note, s.note_en
      FROM size_tables s JOIN products p ON p.category_id = s.category_id
     WHERE s.category_id = :old AND NOT EXISTS (SELECT FROM size_tables x WHERE x.product_id = p.id)""")
SIZES_OF_DRAFTS = text("""
    UPDATE listing_drafts d SET content = jsonb_set(d.content, '{sizes}', jsonb_build_object(
               'title', s.title, 'title_en', s.title_en, 'columns', s.columns, 'columns_en', s.columns_en,
               'rows', s.rows, 'cells', s.cells, 'note', s.note, 'note_en', s.note_en))
      FROM size_tables s
     WHERE s.category_id = :old AND d.content ->> 'category' = CAST(:old AS text)
       AND COALESCE(d.content -> 'sizes', 'null') = 'null'""")
TIME_FOR_NEW_NEEDS = text("""
    UPDATE products SET sells_unpapered_until = accounting_date(now()) + 90
     WHERE id = ANY (:products) AND status = 'published'
       AND COALESCE(sells_unpapered_until < accounting_date(now()) + 90, true)
       AND product_lacks(id, accounting_date(now())) && CAST(:new AS text[])""")


@dataclass(frozen=True)
class Effect:
    """What a merge does, for who decides on it."""

    source: Category
    target: Category
    products: int
    public: int
    drafts: int
    below: int
    #: What everything in the target is asked for from then on, and what the products that come are asked anew.
    added_needs: tuple[str, ...]
    met_needs: tuple[str, ...]


def effect(source_id: int, target_id: int) -> Effect:
    """What merging would do now. Raises NotFound, and Invalid for `target`."""
    here = tree.branch_of(source_id)
    try:
        there = tree.branch_of(target_id)
    except NotFound:
        raise Invalid({"target": _("Pilih kategori tujuannya dari daftar.")}) from None
    if source_id == target_id:
        raise Invalid({"target": _("Pilih kategori lain: ini kategori yang sama.")})
    if there.category.parent_id == source_id:
        raise Invalid({"target": _("Kategori tujuan adalah cabangnya sendiri. Pindahkan cabang itu ke atas dahulu.")})
    if here.below and there.category.parent_id is not None:
        raise Invalid({"target": _("Kategori ini punya cabang, jadi tujuannya harus di tingkat atas.")})
    asked, asks = set(needs_of(source_id)), set(needs_of(target_id))
    return Effect(
        here.category, there.category, here.products, here.public, here.drafts, len(here.below),
        tuple(sorted(asked - asks)), tuple(sorted(asks - asked)),
    )  # fmt: skip


def merge(source_id: int, target_id: int, *, person_id: int) -> Effect:
    """Let one category go into another, for good. Never commits. Raises NotFound, and Invalid for `target`."""
    tree.hold()
    # Whoever is saving into either holds its row: they are through first, and are taken along.
    for category_id in sorted((source_id, target_id)):
        db.session.get(Category, category_id, with_for_update=True, populate_existing=True)
    found = effect(source_id, target_id)
    products, both = tree.products_of(source_id), {"old": source_id, "new": target_id}
    run = db.session.execute
    run(text("INSERT INTO category_needs SELECT :new, need FROM category_needs WHERE category_id = :old"
             " ON CONFLICT DO NOTHING"), both)  # fmt: skip
    run(SIZES_OF_PRODUCTS, both)
    run(SIZES_OF_DRAFTS, both)
    run(text("UPDATE products SET category_id = :new WHERE category_id = :old"), both)
    run(TIME_FOR_NEW_NEEDS, {"products": products, "new": list(found.met_needs)})
    run(text("UPDATE categories SET parent_id = :new WHERE parent_id = :old AND archived_at IS NULL"), both)
    run(text("UPDATE categories SET merged_into_id = :new WHERE merged_into_id = :old"), both)
    run(text("UPDATE categories SET merged_into_id = :new, archived_at = now() WHERE id = :old"), both)
    run(text("DELETE FROM size_tables WHERE category_id = :old"), both)
    run(text("DELETE FROM category_needs WHERE category_id = :old"), both)
    # Only now: the database leads on what names a category that is merged.
    run(text("UPDATE listing_drafts SET content = content WHERE content ->> 'category' = CAST(:old AS text)"), both)
    details = {
        "before": {"name": found.source.name, "slug": found.source.slug},
        "after": {"into": found.target.slug, "products": len(products), "drafts": found.drafts},
        "product_ids": products[:MOST_RECORDED],
        "added_needs": list(found.added_needs),
    }
    record("category.merged", "category", source_id, person_id=person_id, details=details)
    return found
