"""Which shares of an order have really moved, when, and by which number of the treasury's.

A state share has moved when the deposit that carries its postings was paid: it has an NTPN. What is paid to a
facility is paid as a sum, so its shares are followed first in, first out, as in their age (`reports/ageing.py`): one
has moved with the first settlement that left nothing of it open.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import text

from storefront.extensions import db

#: What of each fund's shares an order still gives, refunds and lost disputes taken off; by facility.
SHARES = text(
    """
    SELECT l.order_id, l.facility_id, l.facility_code, l.facility_name, s.fund_id, f.code AS fund, f.position,
           (sum(s.amount) - COALESCE(sum(back.amount), 0))::bigint AS amount
      FROM order_lines l
      JOIN order_line_shares s ON s.order_line_id = l.id
      JOIN funds f ON f.id = s.fund_id
      LEFT JOIN LATERAL (
           SELECT sum(t.amount) AS amount FROM (
               SELECT amount FROM refund_shares WHERE order_line_id = l.id AND position = s.position
                UNION ALL
               SELECT amount FROM dispute_shares WHERE order_line_id = l.id AND position = s.position) t) back ON true
     WHERE l.order_id = ANY (:orders)
     GROUP BY l.order_id, l.facility_id, l.facility_code, l.facility_name, s.fund_id, f.code, f.position
    HAVING sum(s.amount) - COALESCE(sum(back.amount), 0) > 0
     ORDER BY l.order_id, l.facility_code, f.position"""
)
#: Deposits that carry the state's postings of these orders' sales: nothing where one posting waits yet.
DEPOSITED = text(
    """
    SELECT e.order_id, a.facility_id, max(d.paid_on) AS moved_on, array_agg(DISTINCT d.ntpn ORDER BY d.ntpn) AS ntpn
      FROM journal_entries e
      JOIN postings p ON p.entry_id = e.id
      JOIN accounts a ON a.id = p.account_id
      JOIN funds f ON f.id = a.fund_id AND f.code = 'state_revenue'
      LEFT JOIN deposit_lines x ON x.posting_id = p.id AND x.is_living
      LEFT JOIN deposits d ON d.id = x.deposit_id AND d.state = 'paid'
     WHERE e.order_id = ANY (:orders) AND e.kind = 'sale'
     GROUP BY e.order_id, a.facility_id HAVING bool_and(d.id IS NOT NULL)"""
)
#: For each sale of these orders: the first settlement of the fund that left nothing of it open. `born` counts what
#: came in since a day, `after` is what was open after an entry; a settlement has covered what was born before it less
#: what it left.
SETTLED = text(
    """
    WITH open AS (
        SELECT a.facility_id, a.fund_id, COALESCE(-sum(p.amount), 0) AS amount
          FROM accounts a JOIN postings p ON p.account_id = a.id
         WHERE a.facility_id = ANY (:facilities) AND a.fund_id IS NOT NULL GROUP BY a.facility_id, a.fund_id),
    entries AS (
        SELECT a.facility_id, a.fund_id, p.entry_id, p.effective_date, -sum(p.amount) AS net
          FROM accounts a JOIN postings p ON p.account_id = a.id
         WHERE a.facility_id = ANY (:facilities) AND a.fund_id IS NOT NULL AND p.effective_date >= :since
         GROUP BY a.facility_id, a.fund_id, p.entry_id, p.effective_date HAVING sum(p.amount) <> 0),
    running AS (
        SELECT e.*, sum(greatest(e.net, 0)) OVER so_far AS born,
               o.amount - sum(e.net) OVER whole + sum(e.net) OVER so_far AS after
          FROM entries e JOIN open o USING (facility_id, fund_id)
        WINDOW so_far AS (PARTITION BY e.facility_id, e.fund_id ORDER BY e.effective_date, e.entry_id),
               whole AS (PARTITION BY e.facility_id, e.fund_id)),
    paid AS (
        SELECT r.facility_id, r.fund_id, r.entry_id, r.effective_date, r.born - r.after AS covered
          FROM running r
          JOIN journal_entries j ON j.id = r.entry_id AND j.kind = 'settlement'
          -- one that the bank sent back has moved nothing
          JOIN settlements t ON j.source = concat('settlement', chr(58), t.id, chr(58), 'paid') AND t.state = 'paid')
    SELECT j.order_id, s.facility_id, s.fund_id, p.effective_date AS moved_on
      FROM running s
      JOIN journal_entries j ON j.id = s.entry_id AND j.kind = 'sale' AND j.order_id = ANY (:orders)
     CROSS JOIN LATERAL (
           SELECT p.effective_date FROM paid p
            WHERE p.facility_id = s.facility_id AND p.fund_id = s.fund_id AND p.covered >= s.born
            ORDER BY p.effective_date, p.entry_id LIMIT 1) p"""
)


@dataclass(frozen=True)
class Share:
    """What an order gives to one fund of one facility, in rupiah, and when it really moved."""

    facility_code: str
    facility_name: str
    fund: str
    amount: int
    #: None: on its way.
    moved_on: datetime.date | None
    #: The state treasury's numbers; only of what was deposited.
    ntpn: tuple[str, ...] = ()

    def written(self) -> dict[str, Any]:
        """As it is kept (`money_news.shares`)."""
        return {**asdict(self), "moved_on": self.moved_on.isoformat() if self.moved_on else None}

    @staticmethod
    def read(kept: dict[str, Any]) -> Share:
        """What was kept."""
        day = kept["moved_on"]
        moved_on = datetime.date.fromisoformat(day) if day else None
        return Share(**{**kept, "moved_on": moved_on, "ntpn": tuple(kept["ntpn"])})


def shares(order_ids: Sequence[int], since: datetime.date) -> dict[int, list[Share]]:
    """The shares of some paid orders, none of them paid before `since`; nothing for one that went back whole."""
    rows = db.session.execute(SHARES, {"orders": list(order_ids)}).all()
    facilities = sorted({row.facility_id for row in rows})
    deposited = {
        (row.order_id, row.facility_id): (row.moved_on, tuple(row.ntpn))
        for row in db.session.execute(DEPOSITED, {"orders": list(order_ids)})
    }
    settled: dict[tuple[int, int, int], datetime.date] = {}
    for facility in facilities:  # one after the other: what is read of each stays small
        values = {"orders": list(order_ids), "facilities": [facility], "since": since}
        for row in db.session.execute(SETTLED, values):
            settled[row.order_id, row.facility_id, row.fund_id] = row.moved_on
    found: dict[int, list[Share]] = {}
    for row in rows:
        if row.fund == "state_revenue":
            moved_on, ntpn = deposited.get((row.order_id, row.facility_id), (None, ()))
        else:
            moved_on, ntpn = settled.get((row.order_id, row.facility_id, row.fund_id)), ()
        found.setdefault(row.order_id, []).append(
            Share(row.facility_code, row.facility_name, row.fund, row.amount, moved_on, ntpn)
        )
    return found
