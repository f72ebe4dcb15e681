"""What in the books waits for a person: how many of each kind, what they come to, since when."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import text

from storefront import days
from storefront.books.deposits import LATE
from storefront.books.listed import as_list
from storefront.extensions import db

#: A row for each kind, whatever there is; `:x` are the facilities of a kind's action, null for all.
STANDING = text(
    f"""
    SELECT 'deposits_proposed' AS kind, count(*) AS count, sum(d.amount)::bigint AS amount,
           accounting_date(min(d.proposed_at)) AS since FROM deposits d
     WHERE d.state = 'proposed' AND (CAST(:deposits AS bigint[]) IS NULL OR d.facility_id = ANY (:deposits))
    UNION ALL
    SELECT 'deposits_unpaid', count(*), sum(d.amount)::bigint, accounting_date(min(d.approved_at)) FROM deposits d
     WHERE d.state = 'approved' AND (CAST(:deposits AS bigint[]) IS NULL OR d.facility_id = ANY (:deposits))
    UNION ALL
    SELECT 'deposits_late', count(*), sum(d.amount)::bigint, min(d.due_on) FROM deposits d
     WHERE {LATE} AND (CAST(:deposits AS bigint[]) IS NULL OR d.facility_id = ANY (:deposits))
    UNION ALL
    SELECT 'settlements_' || k.state, count(s.id), sum(COALESCE(s.transferred, s.amount))::bigint,
           accounting_date(min(COALESCE(s.approved_at, s.proposed_at)))
      FROM (VALUES ('proposed'), ('approved')) k (state)
      LEFT JOIN settlements s ON s.state = k.state
       AND (CAST(:settlements AS bigint[]) IS NULL OR s.facility_id = ANY (:settlements))
     GROUP BY k.state
    UNION ALL
    SELECT 'transfers_refused', count(DISTINCT s.id), sum(t.amount)::bigint, accounting_date(min(t.planned_at))
      FROM facility_transfers t JOIN settlements s ON s.id = t.settlement_id
     WHERE t.state = 'failed' AND (CAST(:settlements AS bigint[]) IS NULL OR s.facility_id = ANY (:settlements))
    UNION ALL
    SELECT 'distributions', count(*), sum(amount)::bigint, accounting_date(min(entered_at)) FROM premium_distributions
     WHERE state = 'entered' AND (CAST(:premium AS bigint[]) IS NULL OR facility_id = ANY (:premium))
    UNION ALL
    SELECT 'budget_returns', count(*), sum(amount)::bigint, accounting_date(min(proposed_at)) FROM budget_returns
     WHERE state = 'proposed' AND (CAST(:settlements AS bigint[]) IS NULL OR facility_id = ANY (:settlements))
    UNION ALL
    SELECT 'bank_accounts', count(*), NULL, accounting_date(min(proposed_at)) FROM bank_accounts
     WHERE ((approved_at IS NULL AND rejected_at IS NULL) OR (end_on IS NOT NULL AND end_approved_by IS NULL))
       AND (CAST(:bank_accounts AS bigint[]) IS NULL OR facility_id = ANY (:bank_accounts))
    UNION ALL
    SELECT 'rules', count(*), NULL, accounting_date(min(proposed_at)) FROM (
        SELECT facility_id, proposed_at FROM split_rules WHERE approved_at IS NULL AND rejected_at IS NULL
        UNION ALL
        SELECT r.facility_id, e.proposed_at FROM split_rule_ends e JOIN split_rules r ON r.id = e.split_rule_id
         WHERE e.approved_at IS NULL AND e.rejected_at IS NULL) r
     WHERE CAST(:rules AS bigint[]) IS NULL OR facility_id IS NULL OR facility_id = ANY (:rules)
    UNION ALL
    SELECT 'corrections', count(*), sum(x.amount)::bigint, accounting_date(min(c.proposed_at))
      FROM corrections c
     CROSS JOIN LATERAL (SELECT sum((leg->>'amount')::bigint) FILTER (WHERE (leg->>'amount')::bigint > 0) AS amount
                           FROM jsonb_array_elements(c.legs) leg) x
     WHERE c.state = 'proposed'
    UNION ALL
    SELECT 'events', count(*), NULL, accounting_date(min(received_at)) FROM payment_events WHERE needs_person
    UNION ALL
    SELECT 'held', count(*), sum(p.taken_amount) FILTER (WHERE p.taken_currency = 'IDR')::bigint,
           accounting_date(min(p.held_at))
      FROM payments p
     WHERE p.state = 'held' AND p.held_closed_at IS NULL
       AND (SELECT r.state FROM refunds r WHERE r.payment_id = p.id AND r.state <> 'rejected'
             ORDER BY r.id DESC LIMIT 1) IS DISTINCT FROM 'succeeded'
    UNION ALL
    SELECT 'disputes', count(*), sum(amount)::bigint, accounting_date(min(opened_at)) FROM disputes
     WHERE state = 'open'
    UNION ALL
    SELECT 'periods', count(*), NULL, (min(m.month) + interval '1 month')::date
      FROM (SELECT m::date AS month
              FROM generate_series((SELECT date_trunc('month', min(effective_date)) FROM journal_entries),
                                   date_trunc('month', CAST(:today AS date)) - interval '1 month',
                                   interval '1 month') m) m
      LEFT JOIN periods p ON p.month = m.month AND p.state = 'closed' WHERE p.month IS NULL"""  # noqa: S608
)
#: Whose facilities a kind asks for.
REACHES = ("deposits", "settlements", "premium", "bank_accounts", "rules")


@dataclass(frozen=True)
class Standing:
    """What waits of one kind; rupiah, and the day of the oldest."""

    count: int = 0
    amount: int | None = None
    since: datetime.date | None = None


def standing(reach: Mapping[str, Iterable[int] | None]) -> dict[str, Standing]:
    """Everything that waits, by kind. `reach` says for each of `REACHES` in which facilities; None means in all."""
    values = {name: as_list(reach[name]) for name in REACHES}
    rows = db.session.execute(STANDING, {**values, "today": days.today()}).mappings()
    return {row["kind"]: Standing(row["count"], row["amount"], row["since"]) for row in rows}
