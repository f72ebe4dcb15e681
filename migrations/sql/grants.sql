-- Rights of the web's role, given anew after every migration. {web} is replaced by the quoted role name.
-- The role owns nothing; what only grows it can only add to.
GRANT USAGE ON SCHEMA public, reporting TO {web};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {web};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {web};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {web};
GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO {web};

REVOKE UPDATE, DELETE, TRUNCATE ON
    journal_entries, postings, stock_movements, audit_events, order_lines, order_line_shares,
    accounts, instalments, former_names FROM {web};
REVOKE DELETE, TRUNCATE ON
    orders, parcels, payments, payment_events, payment_attempts, refunds, reservations, people, memberships,
    facilities, workshops, products, variants, split_rules, split_rule_shares, idempotency_keys, messages FROM {web};
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON
    order_transitions, parcel_transitions, payment_transitions, alembic_version, order_status, listings,
    catalogue_changes FROM {web};
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON listings_gone, search_words FROM {web};
REVOKE DELETE, TRUNCATE ON lost_searches_done FROM {web};
REVOKE UPDATE, DELETE ON idempotency_keys FROM {web};

-- on_hand changes by a movement's trigger alone.
REVOKE UPDATE, DELETE ON stock_levels FROM {web};
GRANT UPDATE (reserved, shown_state) ON stock_levels TO {web};
REVOKE DELETE, TRUNCATE ON stock_takes, stock_take_rows FROM {web};
REVOKE UPDATE, DELETE, TRUNCATE ON stock_counts FROM {web};
REVOKE DELETE, TRUNCATE ON exhibition_sendings FROM {web};
REVOKE UPDATE, DELETE, TRUNCATE ON exhibition_sending_lines FROM {web};
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON exhibition_sent FROM {web};
REVOKE DELETE, TRUNCATE ON exhibition_returns, exhibition_arrivals FROM {web};
REVOKE UPDATE, DELETE, TRUNCATE ON exhibition_return_lines, exhibition_arrival_lines FROM {web};

REVOKE UPDATE, DELETE, TRUNCATE ON
    refund_lines, refund_parcels, refund_shares, deposit_lines, payouts, fee_bearers, refund_limits,
    deposit_deadlines FROM {web};
REVOKE DELETE, TRUNCATE ON
    bank_accounts, satkers, settlements, deposits, disputes, premium_distributions, budget_returns, corrections,
    periods FROM {web};
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON refund_transitions, books_transitions FROM {web};

REVOKE UPDATE, DELETE, TRUNCATE ON dispute_shares, dispute_parcels FROM {web};
REVOKE DELETE, TRUNCATE ON split_rule_ends FROM {web};
REVOKE UPDATE, DELETE, TRUNCATE ON funds FROM {web};
GRANT UPDATE (approved_by, approved_at, rejected_by, rejected_at) ON fee_bearers, refund_limits TO {web};

REVOKE UPDATE, DELETE, TRUNCATE ON refund_returns FROM {web};
REVOKE DELETE, TRUNCATE ON
    provider_lines, provider_payouts, reconciliation_runs, reconciled_days, reconciliation_differences FROM {web};
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON provider_line_matches, clearing_entries_alone FROM {web};
REVOKE DELETE, TRUNCATE ON
    bank_files, bank_lines, bank_file_shapes, transfers, held_transfers, return_batches, bank_returns FROM {web};
REVOKE UPDATE, TRUNCATE ON bank_match_postings FROM {web};
REVOKE TRUNCATE ON bank_matches, return_accounts FROM {web};
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON bank_line_transitions, bank_return_transitions FROM {web};
REVOKE DELETE, TRUNCATE ON connected_accounts, facility_transfers, transfer_reversals FROM {web};
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON facility_transfer_transitions FROM {web};

REVOKE DELETE, TRUNCATE ON workshop_declarations FROM {web};
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON holidays FROM {web};
REVOKE DELETE, TRUNCATE ON days_off, pauses, profile_texts, invitations, handovers FROM {web};
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON product_ratings FROM {web};
REVOKE DELETE, TRUNCATE ON quotes, quote_acceptances FROM {web};
REVOKE UPDATE, DELETE, TRUNCATE ON quote_papers FROM {web};
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON quote_steps, quote_transitions FROM {web};
REVOKE DELETE, TRUNCATE ON enquiries, enquiry_contacts, enquiry_messages, reviews FROM {web};
REVOKE DELETE, TRUNCATE ON training_programmes, training_followups, training_imports FROM {web};
REVOKE UPDATE, DELETE, TRUNCATE ON training_outcomes FROM {web};
REVOKE UPDATE, DELETE, TRUNCATE ON
    operators, page_revisions, home_changes, case_messages, case_files FROM {web};
REVOKE DELETE, TRUNCATE ON home_blocks, cases FROM {web};
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON cities, districts, postal_codes, place_versions FROM {web};
REVOKE DELETE, TRUNCATE ON problems, thank_yous FROM {web};
REVOKE UPDATE, DELETE, TRUNCATE ON problem_lines, money_news, report_windows, cart_keeping, low_stock_defaults, order_holds FROM {web};

-- Pieces change their parcel while both are to pack (parcel_lines_keep).
REVOKE UPDATE, TRUNCATE ON parcel_lines, refund_pieces FROM {web};
GRANT UPDATE (quantity) ON parcel_lines TO {web};
REVOKE UPDATE, DELETE, TRUNCATE ON
    parcel_returns, parcel_return_lines, label_batch_parcels, label_prints FROM {web};
REVOKE DELETE, TRUNCATE ON label_batches FROM {web};
REVOKE UPDATE, DELETE, TRUNCATE ON notices, sale_certificates FROM {web};
REVOKE DELETE, TRUNCATE ON listing_decisions, batches FROM {web};
REVOKE UPDATE, DELETE, TRUNCATE ON listing_news FROM {web};
REVOKE DELETE, TRUNCATE ON listing_imports FROM {web};
REVOKE UPDATE, DELETE, TRUNCATE ON upkeep FROM {web};
REVOKE DELETE, TRUNCATE ON rate_files FROM {web};
REVOKE DELETE, TRUNCATE ON marketplaces, marketplace_files FROM {web};
REVOKE UPDATE, DELETE, TRUNCATE ON marketplace_orders FROM {web};
REVOKE DELETE, TRUNCATE ON second_factors, recovery_codes, factor_resets, role_proposals, facility_suspensions FROM {web};
REVOKE DELETE, TRUNCATE ON payment_file_shapes, payment_files FROM {web};
REVOKE UPDATE, DELETE, TRUNCATE ON payment_file_lines FROM {web};
GRANT UPDATE (is_living) ON payment_file_lines TO {web};
REVOKE DELETE, TRUNCATE ON made_files FROM {web};
-- A token stays what it was made as: it is used, and revoked.
REVOKE UPDATE, DELETE, TRUNCATE ON api_tokens, api_token_facilities FROM {web};
GRANT UPDATE (last_used_at, revoked_at, revoked_by) ON api_tokens TO {web};
REVOKE DELETE, TRUNCATE ON webhook_endpoints FROM {web};
REVOKE UPDATE, TRUNCATE ON webhook_events FROM {web};

REVOKE DELETE, TRUNCATE ON tills, till_sessions, counter_conflicts FROM {web};
REVOKE UPDATE, DELETE, TRUNCATE ON counter_sales, counter_voids, till_settlements FROM {web};
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON till_session_sums FROM {web};
