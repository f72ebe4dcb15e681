"""The provider's own books of the past, and the nights on which they were compared with ours.

As `reconciliation.runs` does it, but in the demo's transaction, which the sandbox's own connection would not see, and
by sets: a demo may have a million payments.
"""

from __future__ import annotations

import datetime

from sqlalchemy import text

from storefront.books.reconciled_days import first_use
from storefront.demo.moments import days
from storefront.extensions import db
from storefront.payments.sandbox_books import CAPTURE
from storefront.reconciliation.compare import compare
from storefront.reconciliation.lines import link
from storefront.reconciliation.models import ReconciliationRun

GATEWAY = "sandbox"
#: The sandbox enters what the shop knows (it is the provider of an invented past), then says it line by line.
ENTERED = text("SELECT sandbox_fill_in()")
LINES = text(
    """
    INSERT INTO provider_lines (run_id, gateway, reference, kind, amount, fee, at, payment_id, refund_key,
                                capture_reference, refund_reference, dispute_reference, payout_reference)
    SELECT :run, 'sandbox', l.id, l.kind, l.amount, l.fee, l.created_at, l.payment_id, r.idempotency_key,
           :capture || l.payment_id, l.refund_id, l.dispute_id, CASE l.kind WHEN 'payout' THEN l.payout_id END
      FROM sandbox_lines l LEFT JOIN sandbox_refunds r ON r.id = l.refund_id
     WHERE accounting_date(l.created_at) <= :last
     ORDER BY l.created_at, l.id
        ON CONFLICT DO NOTHING"""
)
PAYOUTS = text(
    """
    INSERT INTO provider_payouts (gateway, reference, amount, state, arrives_on, created_at, is_explained,
                                  bank_reference)
    SELECT 'sandbox', id, amount, state, arrives_on, created_at, true, id FROM sandbox_payouts
        ON CONFLICT DO NOTHING"""
)
COMPARED = text("SELECT max(day) FROM reconciled_days WHERE gateway = 'sandbox' AND is_final")


def compare_until(last: datetime.date, moment: datetime.datetime) -> None:
    """What was not compared yet is, up to the day `last`, at `moment` after it. Never commits."""
    db.session.flush()
    begun = first_use(GATEWAY)
    compared: datetime.date | None = db.session.execute(COMPARED).scalar_one()
    first = compared + days(1) if compared else begun
    if first is None or first > last:
        return
    run = ReconciliationRun(
        gateway=GATEWAY, first_day=first, last_day=last, state="done", step="done", asked_at=moment,
        started_at=moment, finished_at=moment + datetime.timedelta(seconds=20), days_done=(last - first).days + 1,
        events_until=moment,
    )  # fmt: skip
    db.session.add(run)
    db.session.flush()
    db.session.execute(ENTERED)
    run.lines = db.session.execute(
        LINES, {"run": run.id, "last": last, "capture": CAPTURE}
    ).rowcount  # type: ignore[attr-defined]
    db.session.execute(PAYOUTS)
    link(GATEWAY)
    run.found = compare(run.id, GATEWAY, first, last, seen_until=moment)
