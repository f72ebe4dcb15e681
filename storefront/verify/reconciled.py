"""Our books beside the providers' own: for the days that were compared, nothing differs that nobody was told of."""

from __future__ import annotations

from storefront.reconciliation.compare import PAYOUT_PATIENCE
from storefront.verify.invariant import Invariant

TOLD = "('open', 'proposed', 'explained')"
#: A payout that was sent and need not have arrived yet; the next comparison lists it, so a day more is given.
UNDER_WAY = f"""(l.kind = 'payout' AND l.amount < 0 AND l.entry_id IS NULL AND l.pair_id IS NULL
                   AND COALESCE((SELECT o.arrives_on FROM provider_payouts o WHERE o.gateway = l.gateway
                                    AND o.reference = l.payout_reference), l.day)
                       + {PAYOUT_PATIENCE + 1:d} >= accounting_date(now()))"""  # noqa: S608

INVARIANTS = (
    Invariant(
        "provider_lines_booked",
        2,
        "Each line of a provider's books is in ours to the rupiah, or is a difference that finance was shown.",
        f"""SELECT m.line_id, m.gateway, m.day, m.kind, m.what, m.theirs, m.ours
              FROM provider_line_matches m
              JOIN provider_lines l ON l.id = m.line_id
              JOIN reconciled_days r ON r.gateway = m.gateway AND r.day = m.day AND l.run_id <= r.run_id
             WHERE m.theirs IS DISTINCT FROM m.ours AND NOT (m.what = 'amount' AND {UNDER_WAY})
               AND NOT EXISTS (SELECT FROM reconciliation_differences d WHERE d.line_id = m.line_id
                                  AND d.what = m.what AND d.state IN {TOLD})""",  # noqa: S608
    ),
    Invariant(
        "clearing_known_to_the_provider",
        2,
        "Each entry that moves what a provider holds is in its own books, or is a difference that finance was shown.",
        f"""SELECT a.entry_id, a.gateway, a.day, a.source, a.ours
              FROM clearing_entries_alone a
              JOIN reconciled_days r ON r.gateway = a.gateway AND r.day = a.day AND a.posted_at < r.compared_at
             WHERE NOT EXISTS (SELECT FROM reconciliation_differences d WHERE d.entry_id = a.entry_id
                                  AND d.what = 'entry' AND d.state IN {TOLD})""",  # noqa: S608
    ),
    Invariant(
        "provider_sum_is_our_balance",
        2,
        "A provider's own sum is our clearing balance, but for payouts under way, differences that finance was "
        "shown, and what was not compared yet.",
        f"""SELECT gateway, ours, theirs, under_way, differences, alone, unlinked, fees FROM (
                SELECT g.gateway,
                       (SELECT COALESCE(sum(p.amount), 0) FROM postings p JOIN accounts a ON a.id = p.account_id
                         WHERE a.code = 'clearing:' || g.gateway) AS ours,
                       (SELECT COALESCE(sum(l.amount - l.fee), 0) FROM provider_lines l
                         WHERE l.gateway = g.gateway) AS theirs,
                       (SELECT COALESCE(-sum(l.amount), 0) FROM provider_lines l WHERE l.gateway = g.gateway
                           AND l.kind = 'payout' AND l.amount < 0 AND l.entry_id IS NULL AND l.pair_id IS NULL
                           AND NOT EXISTS (SELECT FROM reconciliation_differences d WHERE d.line_id = l.id
                                              AND d.what = 'amount' AND d.state IN {TOLD})) AS under_way,
                       (SELECT COALESCE(sum(COALESCE(d.ours, 0) - COALESCE(d.theirs, 0)), 0)
                          FROM reconciliation_differences d
                         WHERE d.gateway = g.gateway AND d.state IN {TOLD}) AS differences,
                       (SELECT COALESCE(sum(a.ours), 0) FROM clearing_entries_alone a
                         WHERE a.gateway = g.gateway AND NOT EXISTS (
                               SELECT FROM reconciliation_differences d WHERE d.entry_id = a.entry_id
                                  AND d.what = 'entry' AND d.state IN {TOLD})) AS alone,
                       (SELECT COALESCE(sum(l.amount), 0) FROM provider_lines l WHERE l.gateway = g.gateway
                           AND NOT (l.kind = 'payout' AND l.amount < 0) AND l.entry_id IS NULL AND l.pair_id IS NULL
                           AND NOT EXISTS (SELECT FROM reconciliation_differences d WHERE d.line_id = l.id
                                              AND d.what = 'amount' AND d.state IN {TOLD})) AS unlinked,
                       (SELECT COALESCE(-sum(l.fee), 0) FROM provider_lines l WHERE l.gateway = g.gateway
                           AND l.fee <> 0 AND l.fee_entry_id IS NULL
                           AND NOT EXISTS (SELECT FROM reconciliation_differences d WHERE d.line_id = l.id
                                              AND d.what = 'fee' AND d.state IN {TOLD})) AS fees
                  FROM (SELECT DISTINCT gateway FROM reconciliation_runs) g
            ) sums WHERE ours <> theirs + under_way + differences + alone - unlinked - fees""",  # noqa: S608
    ),
)
