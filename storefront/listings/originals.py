"""Originals of photos are kept for their drafts alone: a camera writes into them where it was."""

from __future__ import annotations

from sqlalchemy import func, select

from storefront.audit.models import AuditEvent
from storefront.extensions import db
from storefront.listings.lifecycle import UNDO
from storefront.listings.models import DraftPhoto
from storefront.media.storage import private_files


def forget_originals() -> int:
    """Delete the originals of drafts that are gone; returns how many.

    For as long as an act on the draft can be undone they stay.
    """
    kept = set(db.session.scalars(select(DraftPhoto.original_key).where(DraftPhoto.original_key.is_not(None))))
    acts = select(AuditEvent.subject_id).where(
        AuditEvent.subject_kind == "listing_draft", AuditEvent.at > func.now() - UNDO
    )
    young = set(db.session.scalars(acts.distinct()))
    store, gone = private_files(), 0
    for key in store.below("originals"):
        if key not in kept and key.split("/")[1] not in young:
            store.delete(key)
            gone += 1
    return gone
