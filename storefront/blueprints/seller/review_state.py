"""What the sections of a draft's page show of its way to the public and of its papers."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import g

from storefront.blueprints.seller import allowed
from storefront.catalogue.models import Product
from storefront.extensions import db
from storefront.listings.checklist import Checklist, checklist
from storefront.listings.drafts import OPEN
from storefront.listings.models import ListingDraft
from storefront.listings.needs import kinds_asked, needs_of
from storefront.people.policy import Action
from storefront.written import Written


@dataclass(frozen=True)
class Review:
    """What the section of a draft's review shows."""

    draft: ListingDraft
    list: Checklist
    #: The address of its product in the shop, while that is public.
    public_slug: str | None
    may_ask: bool
    may_withdraw: bool
    #: What its category asks for, and the kinds of papers that answer it.
    needs: tuple[str, ...]
    kinds: tuple[str, ...]
    form: Written
    #: Of one paper, refused: its kind is in the form.
    paper_form: Written


def review_of(draft: ListingDraft, form: Written | None = None, paper_form: Written | None = None) -> Review:
    """For templates that include `_listing_review.html` or `_listing_papers.html`."""
    product = db.session.get(Product, draft.product_id) if draft.product_id else None
    chosen = draft.content["category"]
    category_id = int(chosen) if chosen.isdecimal() and len(chosen) < 16 else 0
    asks = allowed(Action.REVIEW_ASK)
    return Review(
        draft,
        checklist(draft),
        product.slug if product and product.status == "published" else None,
        asks and draft.state in OPEN,
        asks and draft.state in ("in_review", "approved"),
        needs_of(category_id),
        kinds_asked(category_id),
        form or Written(_planned(draft)),
        paper_form or Written(),
    )


def _planned(draft: ListingDraft) -> dict[str, str]:
    """The moment that was chosen before, as the form shows it."""
    if draft.publish_at is None:
        return {}
    there = draft.publish_at.astimezone(ZoneInfo(g.facility.time_zone))
    return {"publish_day": there.date().isoformat(), "publish_time": f"{there:%H:%M}"}
