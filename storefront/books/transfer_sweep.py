"""Transfers and reversals whose job is gone, or for which an account held too little: asked for again."""

from __future__ import annotations

from sqlalchemy import text

from storefront.extensions import db, defer
from storefront.payments.connect import connect, is_on

TRANSFERS = text(
    """
    SELECT DISTINCT settlement_id FROM facility_transfers
     WHERE state = 'planned' AND planned_at < now() - interval '1 hour' ORDER BY settlement_id"""
)
REVERSALS = text(
    """
    SELECT r.id FROM transfer_reversals r JOIN facility_transfers t ON t.id = r.transfer_id AND t.state = 'made'
     WHERE r.state = 'planned' AND r.planned_at < now() - interval '1 hour' ORDER BY r.id"""
)


def ask_again() -> int:
    """Queue what has waited for an hour; how many jobs. Reversals also while transfers are off. Never commits."""
    if connect() is None:
        return 0
    settlements = db.session.scalars(TRANSFERS).all() if is_on() else []
    reversals = db.session.scalars(REVERSALS).all()
    for settlement_id in settlements:
        defer("books.send_transfers", settlement_id=settlement_id, queueing_lock=f"transfers:{settlement_id}")
    for reversal_id in reversals:
        defer("books.reverse_transfer", reversal_id=reversal_id, queueing_lock=f"reversal:{reversal_id}")
    return len(settlements) + len(reversals)
