"""The database's own guards are in place, and what only they forbid did not slip in before them."""

from __future__ import annotations

from storefront.verify.invariant import Invariant

#: Every trigger of the schema, by its table: without them the rest would rest on good behaviour.
TRIGGERS = {
    "audit_events": ("audit_events_append_only", "audit_events_no_truncate"),
    "bank_accounts": ("bank_accounts_end", "bank_accounts_keep"),
    "bank_files": ("bank_files_keep",),
    "bank_lines": ("bank_lines_even", "bank_lines_keep", "bank_lines_transition"),
    "bank_match_postings": ("bank_match_postings_even",),
    "bank_matches": ("bank_matches_even", "bank_matches_keep"),
    "bank_returns": ("bank_returns_keep", "bank_returns_transition"),
    "batches": ("catalogue_changed",),
    "budget_returns": (
        "budget_returns_begin", "budget_returns_keep", "budget_returns_transition", "budget_returns_within",
    ),
    "case_files": ("case_files_append_only",),
    "case_messages": ("case_messages_append_only",),
    "categories": ("catalogue_changed", "categories_former_name", "categories_search", "categories_whole"),
    "category_needs": ("category_needs_time", "needs_changed"),
    "connected_accounts": ("connected_accounts_end", "connected_accounts_keep"),
    "corrections": ("corrections_begin", "corrections_keep", "corrections_settle", "corrections_transition"),
    "counter_conflicts": ("counter_conflicts_keep",),
    "counter_sales": ("counter_sales_append_only", "counter_sales_in_session"),
    "counter_voids": ("counter_voids_append_only", "counter_voids_in_session"),
    "days_off": ("catalogue_changed",),
    "deposit_lines": ("deposit_lines_append_only", "deposit_lines_of_the_state", "deposit_lines_whole"),
    "deposits": (
        "deposits_begin", "deposits_free_lines", "deposits_keep", "deposits_keep_paid", "deposits_not_returned",
        "deposits_transition", "deposits_whole",
    ),
    "dispute_parcels": ("dispute_parcels_append_only",),
    "dispute_shares": ("dispute_shares_append_only", "dispute_shares_within"),
    "disputes": ("disputes_keep", "disputes_transition"),
    "enquiry_messages": ("thread_changed",),
    "exhibition_arrival_lines": ("exhibition_arrival_lines_append_only",),
    "exhibition_arrivals": ("exhibition_arrivals_keep",),
    "exhibition_facilities": ("catalogue_changed", "exhibition_facilities_collected"),
    "exhibition_pieces": ("catalogue_changed", "exhibition_pieces_own"),
    "exhibition_prices": ("catalogue_changed",),
    "exhibition_return_lines": ("exhibition_return_lines_append_only", "exhibition_return_lines_own"),
    "exhibition_returns": ("exhibition_returns_keep",),
    "exhibition_sending_lines": ("exhibition_sending_lines_append_only", "exhibition_sending_lines_own"),
    "exhibition_sendings": ("exhibition_sendings_keep",),
    "exhibitions": ("catalogue_changed", "exhibitions_collected"),
    "facilities": (
        "catalogue_changed", "facilities_former_name", "facilities_keep_code", "facilities_search",
        "listing_changed",
    ),
    "facility_transfers": (
        "facility_transfers_begin", "facility_transfers_keep", "facility_transfers_transition",
        "facility_transfers_within",
    ),
    "fee_bearers": ("catalogue_changed", "fee_bearers_keep", "fee_bearers_legal"),
    "former_names": ("former_names_append_only", "former_names_no_truncate"),
    "funds": ("funds_keep_code",),
    "held_transfers": ("held_transfers_keep",),
    "holidays": ("catalogue_changed",),
    "home_blocks": ("catalogue_changed",),
    "home_changes": ("home_changes_append_only",),
    "journal_entries": (
        "journal_entries_append_only", "journal_entries_no_truncate", "journal_entries_not_empty",
        "journal_entries_open_period",
    ),
    "label_batch_parcels": ("label_batch_parcels_append_only",),
    "label_prints": ("label_prints_append_only",),
    "listing_drafts": ("draft_category",),
    "listings": (
        "listing_gone", "listing_stamped", "listings_declared", "listings_paused", "note_catalogue_change",
    ),
    "mailed_links": ("mailed_links_keep",),
    "marketplace_files": ("marketplace_files_keep",),
    "marketplace_orders": ("marketplace_orders_append_only",),
    "money_news": ("money_news_append_only",),
    "operators": ("catalogue_changed", "operators_append_only"),
    "order_line_shares": ("order_line_shares_append_only", "order_line_shares_once"),
    "order_lines": ("order_lines_append_only", "order_lines_place", "order_lines_shared"),
    "orders": ("orders_extend_once", "orders_transition"),
    "page_revisions": ("catalogue_changed", "page_revisions_append_only"),
    "parcel_batches": ("parcel_batches_within",),
    "parcel_lines": ("parcel_lines_keep", "parcel_lines_whole"),
    "parcel_return_lines": ("parcel_return_lines_append_only", "parcel_return_lines_within"),
    "parcel_returns": ("parcel_returns_append_only",),
    "parcels": ("parcels_stand", "parcels_transition"),
    "pauses": ("catalogue_changed", "paused_listings"),
    "payment_events": ("payment_events_keep",),
    "payment_file_lines": ("payment_file_lines_agreed", "payment_file_lines_keep", "payment_file_lines_whole"),
    "payment_file_shapes": ("payment_file_shapes_keep",),
    "payment_files": ("payment_files_free", "payment_files_keep", "payment_files_whole"),
    "payments": ("payments_keep", "payments_transition"),
    "payouts": ("payouts_append_only", "payouts_to_the_office"),
    "periods": ("periods_chain",),
    "photos": ("catalogue_changed", "note_catalogue_change"),
    "postings": (
        "postings_append_only", "postings_balanced", "postings_no_truncate", "postings_with_their_entry",
    ),
    "premium_distributions": (
        "catalogue_changed", "distributions_transition", "premium_distributions_begin",
        "premium_distributions_decided_in_time", "premium_distributions_keep", "premium_distributions_open_period",
        "premium_distributions_within",
    ),
    "problems": ("problems_keep",),
    "product_facts": ("catalogue_changed",),
    "product_foods": ("catalogue_changed",),
    "product_papers": ("catalogue_changed", "papered_listing"),
    "product_ratings": ("listing_rated", "listing_rated_shows"),
    "products": (
        "catalogue_changed", "declared_listings", "listing_changed", "listing_words_changed",
        "note_catalogue_change", "papered_listing", "products_category", "products_complete", "products_search_text",
        "search_words_met", "search_words_met_again",
    ),
    "provider_lines": ("provider_lines_keep",),
    "provinces": ("catalogue_changed",),
    "quote_lines": ("quote_lines_keep",),
    "quote_papers": ("quote_papers_append_only", "quote_papers_next"),
    "quote_steps": ("quote_steps_append_only",),
    "quotes": ("quotes_keep", "quotes_step", "quotes_transition"),
    "rate_files": ("rate_files_keep",),
    "refund_limits": ("refund_limits_keep",),
    "refund_lines": (
        "refund_lines_allot", "refund_lines_append_only", "refund_lines_back", "refund_lines_whole",
    ),
    "refund_parcels": ("refund_parcels_append_only", "refund_parcels_whole"),
    "refund_pieces": ("refund_pieces_within",),
    "refund_returns": ("refund_returns_append_only",),
    "refund_shares": ("refund_shares_append_only", "refund_shares_within"),
    "refunds": ("refunds_allot", "refunds_keep", "refunds_settle", "refunds_transition", "refunds_whole"),
    "return_accounts": ("return_accounts_keep",),
    "return_batches": ("return_batches_keep",),
    "review_photos": ("voice_changed",),
    "review_replies": ("voice_changed",),
    "reviews": ("reviews_keep", "reviews_of_received", "reviews_rate", "voice_changed"),
    "sale_certificates": ("sale_certificates_append_only",),
    "satkers": ("satkers_keep",),
    "settlements": (
        "settlements_begin", "settlements_in_a_file", "settlements_keep", "settlements_keep_paid",
        "settlements_not_passed_on", "settlements_transfers", "settlements_transition", "settlements_within",
    ),
    "shipping_rates": ("catalogue_changed",),
    "size_tables": ("catalogue_changed",),
    "split_rule_ends": ("split_rule_ends_keep",),
    "split_rule_shares": ("split_rule_shares_keep", "split_rule_shares_whole"),
    "split_rules": ("catalogue_changed", "split_rules_end", "split_rules_keep", "split_rules_whole"),
    "stock_counts": ("stock_counts_append_only",),
    "stock_levels": ("catalogue_changed", "listing_changed", "note_catalogue_change"),
    "stock_movements": (
        "apply_stock_movement", "stock_movements_append_only", "stock_movements_no_truncate", "stock_movements_undo",
    ),
    "stock_take_rows": ("stock_take_rows_keep",),
    "stock_takes": ("stock_takes_keep",),
    "synonyms": ("catalogue_changed", "synonym_met"),
    "till_sessions": ("till_sessions_keep",),
    "till_settlements": ("till_settlements_append_only",),
    "training_followups": ("training_followups_keep",),
    "training_imports": ("training_imports_keep",),
    "training_outcomes": ("catalogue_changed", "training_outcomes_append_only", "training_outcomes_within"),
    "training_programmes": ("catalogue_changed", "training_programmes_keep"),
    "training_targets": ("catalogue_changed",),
    "transfer_reversals": (
        "transfer_reversals_begin", "transfer_reversals_keep", "transfer_reversals_transition",
        "transfer_reversals_within",
    ),
    "upkeep": ("upkeep_append_only",),
    "variants": ("catalogue_changed", "listing_changed", "note_catalogue_change"),
    "workshop_declarations": ("catalogue_changed", "declared_listings", "workshop_declarations_keep"),
    "workshops": ("catalogue_changed", "declared_listings", "workshops_former_name", "workshops_search"),
}  # fmt: skip
#: What is there once: every unique index and every EXCLUDE, by name, but primary keys.
ONCE = (
    "accounts_code_key", "api_tokens_token_hash_key", "bank_accounts_one_in_force", "bank_files_once",
    "bank_lines_bank_account_id_fingerprint_key", "bank_returns_held", "bank_returns_refund",
    "batches_product_id_code_key", "budget_returns_reference", "canned_replies_one_name", "carts_order_id_key",
    "carts_token_hash_key", "case_files_key_key", "cases_form_key_key", "cases_number_key", "categories_slug_key",
    "cities_code_key", "commodity_groups_code_key", "connected_accounts_one_in_force",
    "connected_accounts_one_owner",
    "counter_conflicts_exhibition_id_key_key", "counter_conflicts_order_id_key", "counter_sales_exhibition_id_key_key",
    "deposit_lines_once", "deposits_billing_code", "deposits_ntpn",
    "disputes_reference_key", "districts_code_key", "draft_photos_draft_id_position_key",
    "enquiry_files_key_key", "enquiry_messages_request_key_key",
    "exhibition_arrivals_return", "exhibition_arrivals_sending",
    "exhibition_prices_exhibition_id_variant_id_daterange_excl", "exhibition_returns_request_key_key",
    "exhibition_sendings_request_key_key", "exhibitions_slug_key",
    "export_presets_one_name", "facilities_code_key", "facilities_slug_key", "facility_suspensions_open",
    "facility_transfers_key_key", "facility_transfers_reference_key", "factor_resets_open",
    "facility_transfers_settlement_id_payment_id_key", "fee_bearers_one_from_a_day", "free_shipping_once",
    "funds_code_key", "handovers_invitation_id_key", "handovers_one_waits", "held_transfers_bank_line_id_key",
    "home_changes_undoes_key", "instalments_order_id_position_key", "invitations_one_waits",
    "invitations_token_hash_key", "journal_entries_source_key", "label_batches_one_open",
    "label_batches_request_key_key", "label_prints_first", "label_prints_request_key_key",
    "letter_choices_email_kind_key", "listing_drafts_form_key_key", "listing_drafts_product_id_key",
    "listing_imports_form_key_key", "listing_news_key_key", "made_files_file_key_key", "mailed_links_token_hash_key",
    "marketplace_orders_marketplace_id_number_key", "marketplaces_code_key", "marketplaces_name_key",
    "memberships_once", "messages_key_key", "moderation_items_kind_subject_id_key", "notice_deliveries_once",
    "notices_key_key",
    "order_lines_order_id_position_key", "orders_number_key", "page_revisions_slug_number_key",
    "parcel_returns_request_key_key", "parcels_order_id_position_key", "parcels_split_key_key", "pauses_once",
    "payment_events_gateway_event_id_key", "payment_file_lines_return", "payment_file_lines_settlement",
    "payment_file_shapes_open", "payments_capture", "payments_gateway_reference_key",
    "payments_one_counts", "payouts_gateway_reference_key", "people_email_key", "photos_id_product_id_key",
    "photos_product_id_position_key", "problem_photos_key_key", "problems_one_waits", "problems_refund_id_key",
    "problems_request_key_key", "product_papers_halal_or_not", "product_papers_product_id_kind_key",
    "products_slug_key", "provider_lines_entry_id_key", "provider_lines_fee_entry_id_key",
    "provider_lines_gateway_reference_key", "provider_lines_pair_id_key", "provinces_name_key",
    "push_devices_endpoint_key",
    "quote_acceptances_order_id_key", "quote_papers_facility_id_kind_year_number_key", "quote_papers_once",
    "quotes_former_id_key", "quotes_number_key", "quotes_one_draft", "quotes_one_sent",
    "reconciliation_differences_correction_id_key", "reconciliation_differences_entry",
    "reconciliation_differences_line", "reconciliation_runs_one_waits", "refund_limits_one_from_a_day",
    "refund_limits_one_waits", "refund_returns_refund_id_attempt_key",
    "recovery_codes_factor_id_code_hash_key", "refunds_automatic_once", "refunds_reference_key",
    "refunds_request_key_key", "review_photos_key_key", "role_proposals_membership_id_key", "role_proposals_open",
    "review_photos_review_id_position_key", "review_replies_review_id_key", "reviews_order_line_id_key",
    "sale_certificates_code_key", "sale_certificates_facility_id_year_number_key",
    "sale_certificates_request_key_key", "sandbox_refunds_idempotency_key_key", "satkers_id_facility_id_key",
    "satkers_one_in_force", "saved_addresses_one_preferred", "saved_views_one_default", "saved_views_one_name",
    "second_factors_new", "second_factors_one", "sessions_token_hash_key", "settlements_bank_reference",
    "shipping_methods_code_key",
    "shipping_rates_method_id_origin_zone_id_destination_zone_id_key", "shipping_zones_code_key",
    "short_codes_kind_target_key", "size_tables_category_id_key", "size_tables_product_id_key",
    "split_rule_ends_open", "split_rule_shares_split_rule_id_fund_id_key", "split_rules_one_in_force",
    "stock_alerts_email_variant_id_key", "stock_locations_exhibition_id_key", "stock_locations_facility_id_key",
    "stock_movements_source_key", "stock_movements_undoes_once", "stock_take_rows_stock_take_id_variant_id_key",
    "stock_takes_facility_id_number_key", "stock_takes_one_open", "stock_takes_request_key_key",
    "thank_yous_order_id_key", "till_sessions_id_exhibition_id_key", "till_sessions_one_open",
    "till_settlements_request_key_key", "tills_account_key", "tills_id_exhibition_id_key", "tills_name",
    "training_followups_outcome_id_key", "training_followups_waiting",
    "training_imports_form_key_key", "training_programmes_batch", "training_targets_year_measure_key",
    "transfer_reversals_key_key", "transfer_reversals_reference_key", "transfer_reversals_transfer_id_source_key",
    "transfers_code_key", "transfers_event_id_key", "variants_sku_key",
    "webhook_deliveries_endpoint_id_event_id_key", "webhook_events_key_key", "webhook_events_uid_key",
    "workshop_declarations_one_in_force",
    "workshop_declarations_one_proposed", "workshops_facility_id_name_key", "workshops_id_facility_id_key",
)  # fmt: skip
_TRIGGERS = ", ".join(f"('{table}', '{trigger}')" for table, triggers in TRIGGERS.items() for trigger in triggers)
_ONCE = ", ".join(f"('{name}')" for name in ONCE)

INVARIANTS = (
    Invariant(
        "guards_in_place",
        1,
        "The triggers that keep the books balanced and append-only, and all others, are there and switched on.",
        f"""SELECT g.table_name, g.trigger_name, CASE WHEN t.oid IS NULL THEN 'missing' ELSE 'off' END AS found
              FROM (VALUES {_TRIGGERS}) g (table_name, trigger_name)
              LEFT JOIN pg_trigger t ON t.tgname = g.trigger_name
                    AND t.tgrelid = to_regclass('public.' || g.table_name)
             WHERE t.oid IS NULL OR t.tgenabled IN ('D', 'R')""",  # noqa: S608
    ),
    Invariant(
        "once_in_place",
        5,
        "The indexes that let nothing be there twice are there and valid, and no constraint waits to be checked.",
        f"""SELECT g.index_name AS name, CASE WHEN x.indexrelid IS NULL THEN 'missing' ELSE 'invalid' END AS found
              FROM (VALUES {_ONCE}) g (index_name)
              LEFT JOIN pg_index x ON x.indexrelid = to_regclass('public.' || quote_ident(g.index_name))
                    AND (x.indisunique OR x.indisexclusion)
             WHERE x.indexrelid IS NULL OR NOT x.indisvalid
            UNION ALL
            SELECT conname::text, 'not validated' FROM pg_constraint
             WHERE connamespace = 'public'::regnamespace AND NOT convalidated""",  # noqa: S608
    ),
    Invariant(
        "four_eyes",
        9,
        "Nobody approved a rule, role, invitation, phone's reset or form of payment files that they proposed, or gave "
        "themselves a role.",
        """SELECT 'split_rule' AS kind, id, proposed_by AS person_id FROM split_rules WHERE approved_by = proposed_by
           UNION ALL
           SELECT 'payment_file_shape', id, proposed_by FROM payment_file_shapes WHERE approved_by = proposed_by
           UNION ALL
           SELECT 'membership', id, person_id FROM memberships WHERE granted_by = person_id
           UNION ALL
           SELECT 'role_proposal', id, proposed_by FROM role_proposals
            WHERE approved_by = proposed_by OR person_id IN (proposed_by, approved_by)
           UNION ALL
           SELECT 'invitation', id, invited_by FROM invitations WHERE approved_by = invited_by
           UNION ALL
           SELECT 'factor_reset', id, proposed_by FROM factor_resets
            WHERE approved_by = proposed_by OR person_id IN (proposed_by, approved_by)""",
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
    Invariant(
        "suspended_by_somebody",
        9,
        "A facility that was stopped has its reason written down, and one that sells is under no suspension.",
        """SELECT f.id AS facility_id, f.code, f.status FROM facilities f
            WHERE (f.status = 'suspended' AND (f.kind <> 'lpka' OR f.approved_by IS NOT NULL)) IS DISTINCT FROM EXISTS (
                  SELECT FROM facility_suspensions s WHERE s.facility_id = f.id AND s.lifted_at IS NULL)""",
    ),
    Invariant(
        "children_are_not_featured",
        9,
        "No block of the front page is about a facility for children.",
        """SELECT b.id AS block_id, b.kind, f.code FROM home_blocks b JOIN facilities f ON f.kind = 'lpka'
            WHERE b.removed_at IS NULL
              AND (b.settings ->> 'facility' = f.code
                   OR EXISTS (SELECT FROM workshops w WHERE w.facility_id = f.id
                                 AND w.id::text = b.settings ->> 'workshop')
                   OR EXISTS (SELECT FROM products p WHERE p.facility_id = f.id
                                 AND b.settings -> 'products' @> to_jsonb(p.id)))""",
    ),
)
