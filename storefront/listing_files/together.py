"""Store what the rows of many products say in a few statements, all of them or nothing.

Who asks rolls back when this refuses, and stores them one by one.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select

from storefront.audit.record import record_several
from storefront.catalogue.models import Product, Variant
from storefront.catalogue.offer import change_offer
from storefront.extensions import db
from storefront.listing_files.content import write
from storefront.listing_files.current import Current
from storefront.listing_files.rows import Plan
from storefront.listing_files.store import Moved, new_content, propose
from storefront.listings import drafts
from storefront.listings.typed import kept
from storefront.stock.count_several import Counted, count_several
from storefront.stock.levels import store_location_id

Done = dict[int, dict[str, Any]]
OFFERED = {"price": "price", "lead_time": "lead_time_days", "capacity": "weekly_capacity"}


def store_together(
    plans: Sequence[tuple[str, Plan]], now: Current, *, import_id: int, person_id: int
) -> Done:
    """Store plans without faults, each with its form key; what changed at once, by row: column → [before, after].

    Never commits. Raises Moved, DraftWaits, NotEnoughStock, Invalid: then none of it is to be kept.
    """
    done = _at_once([plan for _key, plan in plans if plan.at_once], now, import_id, person_id)
    new = {key: plan for key, plan in plans if plan.is_new and not plan.photos}
    contents = {key: new_content(plan) for key, plan in new.items()}
    begun = drafts.begin_several(now.facility_id, contents, person_id=person_id)
    for key, plan in new.items():
        plan.written_to = begun[key]
    _propose([plan for _key, plan in plans if _is_proposal(plan)], now, person_id)
    for key, plan in plans:
        if key not in new and not _is_proposal(plan):
            propose(plan, now, form_key=key, person_id=person_id)
    return done


def _is_proposal(plan: Plan) -> bool:
    """Whether texts of a listed product change that has no draft yet."""
    is_first = plan.product is not None and plan.product.draft is None
    return is_first and bool(plan.edits) and not plan.photos


def _propose(plans: Sequence[Plan], now: Current, person_id: int) -> None:
    """Begin the proposals of several products. Raises Moved when somebody was quicker."""
    of_product = {plan.product.id: plan for plan in plans if plan.product}
    if not of_product:
        return
    products = db.session.scalars(select(Product).where(Product.id.in_(of_product))).all()
    begun = drafts.begin_proposals(now.facility_id, products, person_id=person_id)
    if len(begun) < len(of_product):
        raise Moved()
    for product_id, draft in begun.items():
        plan, content = of_product[product_id], copy.deepcopy(draft.content)
        write(content, plan.edits)
        draft.content, plan.written_to = kept(content, draft.content), draft.id
    db.session.flush()


def _locked(plans: Sequence[Plan]) -> dict[int, Variant]:
    """The variants that plans change at once, locked in the order of their ids, whichever product is theirs."""
    ids = {variant_id for plan in plans for variant_id, _values in plan.at_once.values()}
    if not ids:
        return {}
    found = db.session.scalars(
        select(Variant)
        .where(Variant.id == func.any(list(ids)))
        .order_by(Variant.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {variant.id: variant for variant in found}


def _at_once(plans: Sequence[Plan], now: Current, import_id: int, person_id: int) -> Done:
    variants, done = _locked(plans), Done()
    counted: dict[int, Counted] = {}
    row_of: dict[int, int] = {}
    for plan in plans:
        for row, (variant_id, values) in plan.at_once.items():
            done[row] = _offer(variants[variant_id], values)
            if (pieces := values.get("stock")) is not None:
                note = _("Impor nomor %(number)d, baris %(row)d", number=import_id, row=row)
                counted[variant_id] = Counted(pieces, note, f"import:{import_id}:{row}")
                row_of[variant_id] = row
    db.session.flush()
    moved = count_several(store_location_id(now.facility_id), counted, person_id=person_id) if counted else {}
    for variant_id, difference in moved.items():
        pieces = counted[variant_id].pieces
        done[row_of[variant_id]]["stock"] = [pieces - difference, pieces]
    told = []
    for plan in plans:
        changed = {
            variants[variant_id].sku: done[row]
            for row, (variant_id, _values) in plan.at_once.items()
            if done[row]
        }
        if changed:
            assert plan.product is not None
            told.append((plan.product.id, {"import": import_id, "changed": changed}))
    record_several("product.imported", "product", told, person_id=person_id, facility_id=now.facility_id)
    return done


def _offer(variant: Variant, values: dict[str, int | None]) -> dict[str, Any]:
    """Set what is offered; what changed."""
    before = {name: getattr(variant, field) for name, field in OFFERED.items()}
    price, lead = values.get("price", variant.price), values.get("lead_time", variant.lead_time_days)
    change_offer(variant, price=price or 0, lead_time_days=lead)
    if "capacity" in values:
        variant.weekly_capacity = values["capacity"]
    after = {name: getattr(variant, field) for name, field in OFFERED.items()}
    return {name: [before[name], after[name]] for name in OFFERED if before[name] != after[name]}
