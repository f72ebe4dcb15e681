"""From which captured payments a facility's working capital can be transferred, and how much of each.

Of a payment, a facility has its share of working capital less what refunds, lost disputes and a fee that the fund
bears took of it, and less what was transferred before. What was settled by bank names no payment: it took the oldest
(first in, first out, as in `ageing`), so what is still owed is the youngest, whichever way it was paid.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import text

from storefront.extensions import db
from storefront.payments.connect import GATEWAY

FUND = "working_capital"
#: The facility's sales, the youngest first. A payment is no source while its fee is not known, a refund of it is under
#: way or its payer disputes it: its share may be less in a moment.
SALES = text(
    """
    WITH own AS (
        SELECT l.order_id, sum(s.amount
               - COALESCE((SELECT sum(r.amount) FROM refund_shares r
                            WHERE (r.order_line_id, r.position) = (s.order_line_id, s.position)), 0)
               - COALESCE((SELECT sum(d.amount) FROM dispute_shares d
                            WHERE (d.order_line_id, d.position) = (s.order_line_id, s.position)), 0)) AS capital
          FROM order_lines l
          JOIN order_line_shares s ON s.order_line_id = l.id
          JOIN funds f ON f.id = s.fund_id AND f.code = :fund
         WHERE l.facility_id = :facility GROUP BY l.order_id)
    SELECT p.id AS payment_id,
           (own.capital - COALESCE((
               SELECT sum(x.amount) FROM journal_entries fee
                 JOIN postings x ON x.entry_id = fee.id
                 JOIN accounts a ON a.id = x.account_id AND a.facility_id = :facility
                 JOIN funds f ON f.id = a.fund_id AND f.code = :fund
                WHERE fee.source = 'payment:' || p.id || '\\:fee'), 0)
            - COALESCE(gone.own, 0))::bigint AS unsettled,
           (p.amount - COALESCE(gone.in_all, 0) - COALESCE((
               SELECT sum(r.amount) FROM refunds r WHERE r.payment_id = p.id AND r.state = 'succeeded'), 0))::bigint
             AS room,
           p.gateway = :gateway AND p.state = 'succeeded' AND p.capture_reference IS NOT NULL AND p.fee IS NOT NULL
           AND NOT EXISTS (SELECT FROM disputes d WHERE d.payment_id = p.id AND d.state = 'open')
           AND NOT EXISTS (SELECT FROM refunds r WHERE r.payment_id = p.id
                              AND r.state NOT IN ('succeeded', 'rejected', 'failed')) AS is_source
      FROM own
      JOIN journal_entries e ON e.order_id = own.order_id AND e.kind = 'sale'
      JOIN payments p ON p.order_id = own.order_id AND e.source = 'payment:' || p.id || '\\:captured'
      LEFT JOIN LATERAL (
           SELECT sum(t.amount - COALESCE((SELECT sum(x.amount) FROM transfer_reversals x
                                            WHERE x.transfer_id = t.id AND x.state <> 'dropped'), 0))
                    FILTER (WHERE s.facility_id = :facility) AS own,
                  sum(t.amount) AS in_all
             FROM facility_transfers t JOIN settlements s ON s.id = t.settlement_id
            WHERE t.payment_id = p.id AND t.state <> 'dropped') gone ON true
     ORDER BY e.effective_date DESC, e.id DESC"""
)


@dataclass(frozen=True)
class Source:
    """What can be transferred of one payment, in rupiah."""

    payment_id: str
    amount: int


def sources(facility_id: int, unsettled: int) -> list[Source]:
    """The payments from which a facility's working capital can be transferred, the oldest first.

    `unsettled`: rupiah that are owed to it and of which no transfer speaks; together they are never more. The caller
    holds the facility's account where it acts on the answer.
    """
    found, left = [], unsettled
    values = {"facility": facility_id, "fund": FUND, "gateway": GATEWAY}
    for sale in db.session.execute(SALES, values):
        if left <= 0:
            break
        taken = min(max(0, sale.unsettled), left)
        left -= taken
        amount = min(taken, max(0, sale.room))
        if sale.is_source and amount:
            found.append(Source(sale.payment_id, amount))
    return found[::-1]


def up_to(wanted: int, among: Iterable[Source]) -> list[Source]:
    """As many of these, in their order, as make up `wanted` rupiah; less where there are not enough."""
    found = []
    for source in among:
        amount = min(wanted, source.amount)
        if amount > 0:
            found.append(Source(source.payment_id, amount))
            wanted -= amount
    return found
