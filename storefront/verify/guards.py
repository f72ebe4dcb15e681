"""The database's own guards are in place, and what only they forbid did not slip in before them."""

from __future__ import annotations

from storefront.verify.invariant import Invariant

#: Triggers without which the rest would rest on good behaviour.
TRIGGERS = (
    ("journal_entries", "journal_entries_append_only"),
    ("journal_entries", "journal_entries_no_truncate"),
    ("journal_entries", "journal_entries_not_empty"),
    ("journal_entries", "journal_entries_open_period"),
    ("postings", "postings_append_only"),
    ("postings", "postings_no_truncate"),
    ("postings", "postings_balanced"),
    ("postings", "postings_with_their_entry"),
    ("periods", "periods_chain"),
    ("refunds", "refunds_transition"),
    ("refunds", "refunds_whole"),
    ("refund_lines", "refund_lines_append_only"),
    ("refund_lines", "refund_lines_whole"),
    ("refund_shares", "refund_shares_append_only"),
    ("settlements", "settlements_keep"),
    ("settlements", "settlements_transition"),
    ("settlements", "settlements_within"),
    ("deposits", "deposits_keep"),
    ("deposits", "deposits_transition"),
    ("deposits", "deposits_whole"),
    ("deposit_lines", "deposit_lines_append_only"),
    ("deposit_lines", "deposit_lines_of_the_state"),
    ("bank_accounts", "bank_accounts_keep"),
    ("bank_files", "bank_files_keep"),
    ("bank_lines", "bank_lines_even"),
    ("bank_lines", "bank_lines_keep"),
    ("bank_lines", "bank_lines_transition"),
    ("bank_match_postings", "bank_match_postings_even"),
    ("bank_matches", "bank_matches_even"),
    ("bank_matches", "bank_matches_keep"),
    ("held_transfers", "held_transfers_keep"),
    ("return_batches", "return_batches_keep"),
    ("bank_returns", "bank_returns_keep"),
    ("bank_returns", "bank_returns_transition"),
    ("return_accounts", "return_accounts_keep"),
    ("premium_distributions", "premium_distributions_within"),
    ("stock_movements", "apply_stock_movement"),
    ("stock_movements", "stock_movements_append_only"),
    ("stock_movements", "stock_movements_no_truncate"),
    ("audit_events", "audit_events_append_only"),
    ("audit_events", "audit_events_no_truncate"),
    ("order_lines", "order_lines_append_only"),
    ("order_lines", "order_lines_shared"),
    ("order_line_shares", "order_line_shares_append_only"),
    ("order_line_shares", "order_line_shares_once"),
    ("orders", "orders_transition"),
    ("parcels", "parcels_transition"),
    ("payments", "payments_transition"),
    ("split_rules", "split_rules_keep"),
    ("split_rules", "split_rules_whole"),
    ("split_rule_shares", "split_rule_shares_keep"),
    ("split_rule_shares", "split_rule_shares_whole"),
)
_TRIGGERS = ", ".join(f"('{table}', '{trigger}')" for table, trigger in TRIGGERS)

INVARIANTS = (
    Invariant(
        "guards_in_place",
        1,
        "The triggers that keep the books balanced and append-only are there and switched on.",
        f"""SELECT g.table_name, g.trigger_name, CASE WHEN t.oid IS NULL THEN 'missing' ELSE 'off' END AS found
              FROM (VALUES {_TRIGGERS}) g (table_name, trigger_name)
              LEFT JOIN pg_trigger t ON t.tgname = g.trigger_name
                    AND t.tgrelid = to_regclass('public.' || g.table_name)
             WHERE t.oid IS NULL OR t.tgenabled IN ('D', 'R')""",  # noqa: S608
    ),
    Invariant(
        "four_eyes",
        9,
        "Nobody approved a split rule that they proposed, or gave a role to themselves.",
        """SELECT 'split_rule' AS kind, id, proposed_by AS person_id FROM split_rules WHERE approved_by = proposed_by
           UNION ALL
           SELECT 'membership', id, person_id FROM memberships WHERE granted_by = person_id""",
    ),
    Invariant(
        "roles_have_their_reach",
        9,
        "Each role is held where it belongs: a facility, an exhibition or the whole programme.",
        """SELECT id AS membership_id, person_id, role, facility_id, exhibition_id FROM memberships
            WHERE NOT CASE WHEN role IN ('coordinator', 'head')   THEN facility_id IS NOT NULL AND exhibition_id IS NULL
                           WHEN role = 'cashier'                  THEN exhibition_id IS NOT NULL AND facility_id IS NULL
                           WHEN role IN ('finance', 'auditor')    THEN exhibition_id IS NULL
                           WHEN role IN ('curator', 'administrator') THEN num_nonnulls(facility_id, exhibition_id) = 0
                           ELSE false END""",
    ),
    Invariant(
        "sessions_of_active_people",
        7,
        "Somebody who may not sign in any more is signed in nowhere.",
        """SELECT s.id AS session_id, s.person_id, s.expires_at FROM sessions s JOIN people p ON p.id = s.person_id
            WHERE NOT p.is_active AND s.ended_at IS NULL AND s.expires_at > now()""",
    ),
    Invariant(
        "children_do_not_sell",
        9,
        "A facility for children sells only with a legal basis and a second person's approval.",
        """SELECT id AS facility_id, code FROM facilities
            WHERE kind = 'lpka' AND status = 'active'
              AND (legal_basis IS NULL OR admitted_by IS NULL OR approved_by IS NULL OR admitted_by = approved_by)""",
    ),
)
