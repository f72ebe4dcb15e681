"""The page on which a listing is written, and the one that shows two versions of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from storefront.blueprints.seller import allowed
from storefront.blueprints.seller.review_state import review_of
from storefront.catalogue.models import Category, CommodityGroup
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.form_key import new_key
from storefront.languages import locale
from storefront.listings import at_once
from storefront.listings.check import faults
from storefront.listings.compare import differences, packed, unpacked
from storefront.listings.drafts import OPEN, DraftMoved, own_draft
from storefront.listings.form import blank_fact, rows_text
from storefront.listings.listing import FACT_KINDS, NET_UNITS, PAPER_KINDS
from storefront.listings.models import DraftPhoto, ListingDraft
from storefront.listings.options import BULK, values_of
from storefront.people.models import Person
from storefront.people.policy import Action

#: Blank rows for facts, beside those that are written.
MORE_FACTS = 2


def editor(
    draft: ListingDraft | None,
    content: Mapping[str, Any],
    *,
    errors: Mapping[str, str] | None = None,
    check: bool = False,
    form_key: str = "",
    refusal: str = "",
) -> str:
    """The page with its fields, and beside them what is wrong or what a curator said."""
    product = at_once.on_sale(draft) if draft else None
    shelf = at_once.shelf_of(draft.product_id, draft.facility_id) if draft and draft.product_id else {}
    content = at_once.shown(content, shelf) if product else content
    missing = said(draft) if draft else {}
    told = {**(missing if check else {}), **(draft.reasons if draft else {}), **(errors or {})}
    dropped = request.args.get("dropped", type=int)
    return render_template(
        "seller/listing.html",
        draft=draft,
        c=content,
        base=packed(content),
        errors=told,
        wrong=dict(errors or {}),
        missing=missing,
        check=check,
        product=product,
        form_key=form_key,
        refusal=refusal,
        page=request.form.get("page") or new_key(),
        can_write=allowed(Action.LISTINGS_WRITE) and (draft is None or draft.state in OPEN),
        dropped=dropped if draft and dropped and _was_taken_out(draft, dropped) else None,
        written_by=name_of(draft.changed_by) if draft else None,
        values=[values_of(content, place) for place in range(2)],
        facts=[*content["facts"], *(blank_fact() for _more in range(MORE_FACTS))],
        sizes_rows=rows_text(content["sizes"]),
        bulk_names=BULK,
        fact_kinds=FACT_KINDS,
        net_units=NET_UNITS,
        paper_kinds=PAPER_KINDS,
        review=review_of(draft) if draft else None,
        all_kinds=PAPER_KINDS,
        **choices(),
    )


def said(draft: ListingDraft) -> dict[str, str]:
    """What is missing, by field."""
    return faults(draft.content, draft.photos, facility_id=draft.facility_id, product_id=draft.product_id)


def choices() -> dict[str, list[tuple[int, str]]]:
    """What can be chosen from lists, in the reader's language."""
    english = locale() == "en"

    def named(model: Any, *where: Any) -> list[tuple[int, str]]:
        rows = db.session.scalars(select(model).where(*where).order_by(model.name))
        return [(row.id, (getattr(row, "name_en", "") if english else "") or row.name) for row in rows]

    return {
        "workshops": named(Workshop, Workshop.facility_id == g.facility.id),
        "categories": named(Category, Category.archived_at.is_(None)),
        "groups": named(CommodityGroup),
    }


def _was_taken_out(draft: ListingDraft, photo_id: int) -> bool:
    where = (DraftPhoto.id == photo_id, DraftPhoto.draft_id == draft.id, DraftPhoto.position.is_(None))
    return db.session.scalar(select(DraftPhoto.id).where(*where)) is not None


def name_of(person_id: int | None) -> str | None:
    return db.session.scalar(select(Person.name).where(Person.id == person_id)) if person_id else None


def moved(draft_id: int, mine: Mapping[str, Any]) -> ResponseReturnValue:
    """Somebody else saved first: both versions, field by field, with what was typed whole in the page.

    What one of the two left as it was is chosen already; where both wrote, the second decides.
    """
    draft = own_draft(g.facility.id, draft_id)
    refusal = DraftMoved(draft)
    if request.form.get("do") == "autosave":
        return jsonify(code=refusal.code, detail=str(refusal.message)), refusal.status
    base = request.form.get("base", "")
    rows = differences(draft.content, mine, unpacked(base))
    page = render_template(
        "seller/listing_versions.html",
        draft=draft,
        rows=rows,
        mine=json.dumps(mine, ensure_ascii=False),
        base=base,
        message=refusal.message,
        written_by=name_of(draft.changed_by),
        **choices(),
    )
    return page, refusal.status
