"""A provider's own books, copied line by line and led to the journal entries that say the same.

Nothing here asks the provider: the lines come in from `fetch.py`. All of it may be done twice, and by two
at once: a line is kept by its reference, and an entry belongs to one line.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.extensions import db
from storefront.payments.provider_books import BalanceLine, ProviderPayout
from storefront.reconciliation.models import ProviderLine, ProviderPayoutRow

#: Whose captured money a line speaks of, where the provider names only that.
NAME_PAYMENTS = text(
    """
    UPDATE provider_lines l SET payment_id = p.id FROM payments p
     WHERE l.gateway = :gateway AND l.payment_id IS NULL AND l.entry_id IS NULL AND l.pair_id IS NULL
       AND p.gateway = l.gateway AND p.capture_reference = l.capture_reference"""
)
#: The source of the entry that should say what a line says, by the line's kind.
LINK = text(
    """
    WITH unlinked AS (
        SELECT l.*, regexp_match(l.refund_key, '^refund:([0-9]{1,18})(?::([0-9]{1,9}))?$') AS refund
          FROM provider_lines l WHERE l.gateway = :gateway AND l.entry_id IS NULL AND l.pair_id IS NULL
    ), named AS (
        SELECT l.id AS line_id, 'payment:' || p.id || CASE WHEN p.counts THEN '\\:captured' ELSE '\\:held' END AS source
          FROM unlinked l JOIN payments p ON p.id = l.payment_id AND p.gateway = l.gateway
         WHERE l.kind = 'payment' AND p.state IN ('succeeded', 'held')
        UNION ALL
        SELECT l.id, 'refund:' || r.id || CASE WHEN l.amount < 0 THEN '\\:succeeded' ELSE '\\:taken_back' END
                     || CASE WHEN n.number > 1 THEN ':' || n.number ELSE '' END
          FROM unlinked l
          JOIN refunds r ON r.id = l.refund[1]::bigint OR (l.refund IS NULL AND r.reference = l.refund_reference)
          JOIN payments p ON p.id = r.payment_id AND p.gateway = l.gateway
         CROSS JOIN LATERAL (
               SELECT 1 + count(*) AS number FROM refund_returns x
                WHERE x.refund_id = r.id AND x.attempt < CASE WHEN l.refund IS NULL THEN r.attempt
                                                              ELSE COALESCE(l.refund[2]::int, 1) END) n
         WHERE l.kind = 'refund'
        UNION ALL
        SELECT l.id, 'dispute:' || d.id || CASE WHEN l.amount < 0 THEN '\\:opened' ELSE '\\:won' END
          FROM unlinked l JOIN disputes d ON d.reference = l.dispute_reference
          JOIN payments p ON p.id = d.payment_id AND p.gateway = l.gateway
         WHERE l.kind = 'dispute'
        UNION ALL
        SELECT l.id, 'payout:' || o.id || '\\:received'
          FROM unlinked l
          LEFT JOIN provider_payouts t ON t.gateway = l.gateway AND t.reference = l.payout_reference
          JOIN payouts o ON o.gateway = l.gateway AND o.reference IN (l.payout_reference, t.bank_reference)
         WHERE l.kind = 'payout' AND l.amount < 0
        UNION ALL
        SELECT l.id, 'settlement:' || t.settlement_id || ':transfer:' || t.id
          FROM unlinked l JOIN facility_transfers t ON t.key = l.transfer_key
         WHERE l.kind = 'transfer' AND l.amount < 0
        UNION ALL
        SELECT l.id, 'settlement:' || t.settlement_id || ':transfer:' || t.id || ':reversed:' || x.id
          FROM unlinked l JOIN transfer_reversals x ON x.key = l.transfer_key
          JOIN facility_transfers t ON t.id = x.transfer_id
         WHERE l.kind = 'transfer' AND l.amount > 0
        UNION ALL
        SELECT l.id, 'provider_line:' || l.id FROM unlinked l WHERE l.kind = 'fee'
    ), chosen AS (
        SELECT DISTINCT ON (e.id) n.line_id, e.id AS entry_id
          FROM named n JOIN journal_entries e ON e.source = n.source
         WHERE NOT EXISTS (SELECT FROM provider_lines x WHERE x.entry_id = e.id)
         ORDER BY e.id, n.line_id
    )
    UPDATE provider_lines l SET entry_id = c.entry_id FROM chosen c WHERE l.id = c.line_id AND l.entry_id IS NULL"""
)
LINK_FEES = text(
    """
    WITH chosen AS (
        SELECT DISTINCT ON (e.id) l.id AS line_id, e.id AS entry_id
          FROM provider_lines l
          JOIN journal_entries e ON e.source = CASE l.kind WHEN 'payment' THEN 'payment:' || l.payment_id || '\\:fee'
                                                           ELSE 'provider_line:' || l.id || '\\:fee' END
         WHERE l.gateway = :gateway AND l.fee <> 0 AND l.fee_entry_id IS NULL
           AND NOT EXISTS (SELECT FROM provider_lines x WHERE x.fee_entry_id = e.id)
         ORDER BY e.id, l.id
    )
    UPDATE provider_lines l SET fee_entry_id = c.entry_id FROM chosen c WHERE l.id = c.line_id"""
)
#: Money that left and came back, and that our books never saw leave: the two lines answer each other.
PAIRS = text(
    """
    SELECT DISTINCT ON (a.id) a.id AS away, b.id AS back
      FROM provider_lines a
      JOIN provider_lines b ON b.gateway = a.gateway AND b.kind = a.kind AND b.amount = -a.amount
       AND b.entry_id IS NULL AND b.pair_id IS NULL AND b.at >= a.at AND b.id <> a.id
     WHERE a.gateway = :gateway AND a.entry_id IS NULL AND a.pair_id IS NULL AND a.amount < 0
       AND CASE a.kind
             WHEN 'refund' THEN b.refund_reference = a.refund_reference AND NOT EXISTS (
                  SELECT FROM refunds r WHERE r.state <> 'failed'
                     AND (r.reference = a.refund_reference OR a.refund_key = 'refund:' || r.id
                          OR a.refund_key LIKE 'refund:' || r.id || ':%'))
             WHEN 'payout' THEN COALESCE(b.payout_reference, a.payout_reference) = a.payout_reference AND EXISTS (
                  SELECT FROM provider_payouts o WHERE o.gateway = a.gateway AND o.reference = a.payout_reference
                     AND o.state = 'failed')
           END
     ORDER BY a.id, b.at, b.id"""
)
PAIR = text(
    """
    UPDATE provider_lines l SET pair_id = CASE l.id WHEN :away THEN CAST(:back AS bigint) ELSE :away END
     WHERE l.id IN (:away, :back) AND (
           SELECT count(*) FROM provider_lines x WHERE x.id IN (:away, :back) AND x.pair_id IS NULL) = 2"""
)


def keep_lines(run_id: int, gateway_name: str, lines: Iterable[BalanceLine]) -> int:
    """Keep lines that a run has brought and that are not known yet; how many were new. The caller commits."""
    rows = [
        {
            "run_id": run_id,
            "gateway": gateway_name,
            "reference": line.reference,
            "kind": line.kind.value,
            "amount": line.amount,
            "fee": line.fee,
            "hundredths": line.hundredths,
            "currency": line.currency,
            "at": line.at,
            "payment_id": line.payment_id or None,
            "refund_key": line.refund_key,
            "capture_reference": line.capture_reference,
            "refund_reference": line.refund_reference,
            "dispute_reference": line.dispute_reference,
            "payout_reference": line.payout_reference,
            "transfer_key": line.transfer_key,
            "transfer_reference": line.transfer_reference,
            "description": line.description[:500],
        }
        for line in lines
    ]
    if not rows:
        return 0
    kept = db.session.execute(
        upsert(ProviderLine)
        .values(rows)
        .on_conflict_do_nothing(index_elements=["gateway", "reference"])
        .returning(ProviderLine.id)
    )
    return len(kept.all())


def keep_payouts(gateway_name: str, payouts: Iterable[ProviderPayout]) -> None:
    """Keep what a provider says of its payouts now. The caller commits."""
    for payout in payouts:
        said = {
            "amount": payout.amount,
            "state": payout.state,
            "arrives_on": payout.arrives_on,
            "created_at": payout.created_at,
            "is_explained": payout.is_explained,
            "bank_reference": payout.bank_reference,
            "failure": payout.failure,
        }
        db.session.execute(
            upsert(ProviderPayoutRow)
            .values(gateway=gateway_name, reference=payout.reference, **said)
            .on_conflict_do_update(index_elements=["gateway", "reference"], set_=said)
        )


def link(gateway_name: str) -> None:
    """Lead every line that stands alone to the entry that says the same, if there is one. The caller commits."""
    values = {"gateway": gateway_name}
    db.session.flush()
    for statement in (NAME_PAYMENTS, LINK, LINK_FEES):
        db.session.execute(statement, values)
    for pair in db.session.execute(PAIRS, values).all():
        db.session.execute(PAIR, {"away": pair.away, "back": pair.back})
