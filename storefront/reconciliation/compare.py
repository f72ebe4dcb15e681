"""Day by day: what a provider's lines say beside what our entries say; where they differ is written down.

Reads lines that were copied before (`lines.py`) and asks nobody. Compared again, a difference is still one
row; it is `gone` as soon as both sides say the same.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import text

from storefront import days
from storefront.extensions import db

#: Days after a payout should have arrived from which on it is missing, rather than under way.
PAYOUT_PATIENCE = 5

DIFFERING_LINES = text(
    """
    INSERT INTO reconciliation_differences AS d (gateway, day, what, line_id, entry_id, theirs, ours, run_id)
    SELECT m.gateway, m.day, m.what, m.line_id, m.entry_id, m.theirs, m.ours, :run
      FROM provider_line_matches m
      JOIN provider_lines l ON l.id = m.line_id
      LEFT JOIN provider_payouts o ON o.gateway = l.gateway AND o.reference = l.payout_reference
     WHERE m.gateway = :gateway AND m.day BETWEEN :first AND :last AND m.theirs IS DISTINCT FROM m.ours
       AND NOT (m.kind = 'payout' AND m.what = 'amount' AND m.theirs < 0 AND m.ours IS NULL
                AND COALESCE(o.arrives_on, m.day) + CAST(:patience AS int) >= :today)
     ORDER BY m.line_id, m.what
        ON CONFLICT (line_id, what) WHERE line_id IS NOT NULL DO UPDATE
       SET theirs = excluded.theirs, ours = excluded.ours, entry_id = excluded.entry_id, state = 'open',
           found_at = CASE d.state WHEN 'gone' THEN now() ELSE d.found_at END,
           reason = NULL, closed_by = NULL, closed_at = NULL
     WHERE d.state = 'gone' OR (d.state IN ('open', 'explained')
                                AND (d.theirs, d.ours) IS DISTINCT FROM (excluded.theirs, excluded.ours))
    RETURNING (xmax = 0) AS is_new"""
)
DIFFERING_ENTRIES = text(
    """
    INSERT INTO reconciliation_differences AS d (gateway, day, what, entry_id, ours, run_id)
    SELECT a.gateway, a.day, 'entry', a.entry_id, a.ours, :run
      FROM clearing_entries_alone a
     WHERE a.gateway = :gateway AND a.day BETWEEN :first AND :last AND a.posted_at < :seen_until
     ORDER BY a.entry_id
        ON CONFLICT (entry_id) WHERE what = 'entry' DO UPDATE
       SET ours = excluded.ours, state = 'open', found_at = now(), reason = NULL, closed_by = NULL, closed_at = NULL
     WHERE d.state = 'gone'
    RETURNING (xmax = 0) AS is_new"""
)
#: Both sides still differ, but otherwise than when somebody looked.
CHANGED = text(
    """
    UPDATE reconciliation_differences d
       SET theirs = m.theirs, ours = m.ours, entry_id = m.entry_id, state = 'open',
           reason = NULL, closed_by = NULL, closed_at = NULL
      FROM provider_line_matches m
     WHERE d.gateway = :gateway AND d.state IN ('open', 'explained') AND m.line_id = d.line_id AND m.what = d.what
       AND m.theirs IS DISTINCT FROM m.ours AND (d.theirs, d.ours) IS DISTINCT FROM (m.theirs, m.ours)"""
)
GONE = text(
    """
    UPDATE reconciliation_differences d SET state = 'gone', closed_at = now(), closed_by = NULL
     WHERE d.gateway = :gateway AND d.state IN ('open', 'proposed', 'explained')
       AND CASE WHEN d.what = 'entry'
                THEN NOT EXISTS (SELECT FROM clearing_entries_alone a WHERE a.entry_id = d.entry_id)
                ELSE EXISTS (SELECT FROM provider_line_matches m
                              WHERE m.line_id = d.line_id AND m.what = d.what AND m.theirs = m.ours) END"""
)
DAYS = text(
    """
    INSERT INTO reconciled_days AS r (gateway, day, run_id, compared_at, lines, theirs, ours)
    SELECT :gateway, day, :run, :seen_until, COALESCE(m.lines, 0), COALESCE(m.theirs, 0), COALESCE(m.ours, 0)
      FROM (SELECT day::date FROM generate_series(CAST(:first AS date), CAST(:last AS date), interval '1 day') day) d
      LEFT JOIN (SELECT day, count(DISTINCT line_id) AS lines, sum(theirs) AS theirs, sum(ours) AS ours
                   FROM provider_line_matches
                  WHERE gateway = :gateway AND day BETWEEN :first AND :last GROUP BY day) m USING (day)
        ON CONFLICT (gateway, day) DO UPDATE
       SET run_id = excluded.run_id, compared_at = excluded.compared_at, lines = excluded.lines,
           theirs = excluded.theirs, ours = excluded.ours
     WHERE r.compared_at <= excluded.compared_at"""
)

UNLINKED = text(
    """
    SELECT COALESCE(sum(-l.amount) FILTER (WHERE l.kind = 'payout' AND l.amount < 0), 0)::bigint AS under_way,
           COALESCE(sum(l.amount) FILTER (WHERE NOT (l.kind = 'payout' AND l.amount < 0)), 0)::bigint AS others
      FROM provider_lines l
     WHERE l.gateway = :gateway AND l.entry_id IS NULL AND l.pair_id IS NULL
       AND NOT EXISTS (SELECT FROM reconciliation_differences d WHERE d.line_id = l.id AND d.what = 'amount'
                          AND d.state IN ('open', 'proposed', 'explained'))"""
)
UNLINKED_FEES = text(
    """
    SELECT COALESCE(sum(-l.fee), 0)::bigint FROM provider_lines l
     WHERE l.gateway = :gateway AND l.fee <> 0 AND l.fee_entry_id IS NULL
       AND NOT EXISTS (SELECT FROM reconciliation_differences d WHERE d.line_id = l.id AND d.what = 'fee'
                          AND d.state IN ('open', 'proposed', 'explained'))"""
)
SUMS = text(
    """
    SELECT (SELECT COALESCE(sum(p.amount), 0) FROM postings p JOIN accounts a ON a.id = p.account_id
             WHERE a.code = 'clearing:' || :gateway)::bigint AS ours,
           (SELECT COALESCE(sum(amount - fee), 0) FROM provider_lines WHERE gateway = :gateway)::bigint AS theirs,
           (SELECT COALESCE(sum(hundredths), 0) FROM provider_lines WHERE gateway = :gateway)::bigint AS hundredths,
           (SELECT COALESCE(sum(COALESCE(ours, 0) - COALESCE(theirs, 0)), 0) FROM reconciliation_differences
             WHERE gateway = :gateway AND state IN ('open', 'proposed'))::bigint AS differences,
           (SELECT COALESCE(sum(COALESCE(ours, 0) - COALESCE(theirs, 0)), 0) FROM reconciliation_differences
             WHERE gateway = :gateway AND state = 'explained')::bigint AS explained,
           (SELECT COALESCE(sum(a.ours), 0) FROM clearing_entries_alone a
             WHERE a.gateway = :gateway AND NOT EXISTS (
                   SELECT FROM reconciliation_differences d WHERE d.entry_id = a.entry_id AND d.what = 'entry'
                      AND d.state IN ('open', 'proposed', 'explained')))::bigint AS not_compared"""
)


@dataclass(frozen=True)
class Explained:
    """Why our balance of a gateway is what it is, beside the provider's own sum; rupiah."""

    gateway: str
    #: Balance of the clearing account.
    ours: int
    #: Sum of all lines of the provider's books.
    theirs: int
    #: Hundredths of a rupiah that the provider holds beyond that.
    hundredths: int
    #: Payouts that the provider has sent and our bank has not shown yet.
    under_way: int
    #: Ours less theirs, of differences that nobody has decided on.
    differences: int
    #: Ours less theirs, of differences that were set aside with a reason.
    explained: int
    #: Ours less theirs, of what happened since the last comparison.
    not_compared: int

    @property
    def unexplained(self) -> int:
        """Zero, or the comparison itself is wrong."""
        known = self.under_way + self.differences + self.explained + self.not_compared
        return self.ours - (self.theirs + known)


def compare(
    run_id: int,
    gateway_name: str,
    first: datetime.date,
    last: datetime.date,
    *,
    seen_until: datetime.datetime,
) -> int:
    """Compare the days `first` to `last`; how many differences are new. The caller has linked, and commits.

    `seen_until`: when the provider was asked; what was booked later is left for the next comparison.
    """
    values = {
        "run": run_id,
        "gateway": gateway_name,
        "first": first,
        "last": last,
        "seen_until": seen_until,
        "today": days.today(),
        "patience": PAYOUT_PATIENCE,
    }
    found = 0
    for statement in (DIFFERING_LINES, DIFFERING_ENTRIES):
        found += sum(row.is_new for row in db.session.execute(statement, values).all())
    db.session.execute(DAYS, values)
    return found


def look_again(gateway_name: str) -> None:
    """Bring differences of whatever day up to date, and close those that are gone. The caller commits."""
    for statement in (CHANGED, GONE):
        db.session.execute(statement, {"gateway": gateway_name})


def explained(gateway_name: str) -> Explained:
    """Our clearing balance of a gateway, part by part, beside the provider's own sum."""
    values = {"gateway": gateway_name}
    sums = db.session.execute(SUMS, values).one()
    unlinked = db.session.execute(UNLINKED, values).one()
    fees = db.session.execute(UNLINKED_FEES, values).scalar_one()
    return Explained(
        gateway=gateway_name,
        ours=sums.ours,
        theirs=sums.theirs,
        hundredths=sums.hundredths,
        under_way=unlinked.under_way,
        differences=sums.differences,
        explained=sums.explained,
        not_compared=sums.not_compared - unlinked.others - fees,
    )
