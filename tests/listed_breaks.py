"""What breaks the promises about listings and batches (`verify/listed.py`), for `test_verify`."""

from __future__ import annotations

DRAFT = (
    "INSERT INTO listing_drafts (facility_id, content, state, submitted_at, submitted_by, decided_at, decided_by,"
    " publish_at)"
    " SELECT f.id, '{}', 'approved', now(), p.id, now(), {decider}, now() - interval '1 hour'"
    " FROM facilities f, people p ORDER BY f.id, p.id LIMIT 1"
)
#: A batch of everything that a paid order has sent; `{state}` since an hour.
BATCH = (
    "INSERT INTO batches (product_id, code, made_on, best_before, state, reason, asked_at, asked_by, decided_at,"
    " decided_by)"
    " SELECT product_id, 'B-1', '2026-01-01', '2026-02-01', '{state}', 'Kemasannya bocor.', now() - interval '1 hour',"
    " 1, now() - interval '1 hour', 2 FROM variants ORDER BY id LIMIT 1;"
    " INSERT INTO batch_pieces (batch_id, variant_id, made, withdrawn)"
    " SELECT b.id, v.id, 3, {withdrawn} FROM batches b JOIN variants v ON v.product_id = b.product_id"
)
SENT = (
    "; INSERT INTO parcel_batches (parcel_id, order_line_id, batch_id, pieces)"
    " SELECT pl.parcel_id, pl.order_line_id, b.id, {pieces} FROM batches b"
    " JOIN order_lines l ON l.variant_id = (SELECT min(variant_id) FROM batch_pieces)"
    " JOIN orders o ON o.id = l.order_id AND o.state = 'paid'"
    " JOIN parcel_lines pl ON pl.order_line_id = l.id LIMIT 1"
    "; UPDATE parcels SET state = 'shipped', courier = 'JNE', shipped_at = {shipped_at}"
    " WHERE id IN (SELECT parcel_id FROM parcel_batches)"
)
LONG_AGO = "now() - interval '2 hours'"

BREAKS = [
    (
        "categories_whole",
        "ALTER TABLE categories DISABLE TRIGGER USER; UPDATE categories SET archived_at = now()"
        " WHERE id = (SELECT min(category_id) FROM products)",
    ),
    (
        "listed_with_papers",
        "INSERT INTO category_needs SELECT category_id, 'halal' FROM products ORDER BY id LIMIT 1",
    ),
    (
        "listings_reviewed_by_another",
        "ALTER TABLE listing_drafts DROP CONSTRAINT listing_drafts_check5; " + DRAFT.replace("{decider}", "p.id"),
    ),
    ("scheduled_listings_published", DRAFT.replace("{decider}", "(SELECT max(id) FROM people)")),
    (
        "batches_within_what_was_made",
        BATCH.format(state="on_sale", withdrawn=0) + SENT.format(pieces=4, shipped_at=LONG_AGO),
    ),
    ("held_batches_off_the_shelf", BATCH.format(state="held", withdrawn=2)),
    ("held_batches_off_the_shelf", BATCH.format(state="held", withdrawn=3)),
    ("held_batches_off_the_shelf", BATCH.format(state="on_sale", withdrawn=3) + "; UPDATE batch_pieces SET taken = 3"),
    (
        "buyers_of_recalled_batches_told",
        BATCH.format(state="recalled", withdrawn=0) + SENT.format(pieces=3, shipped_at=LONG_AGO),
    ),
]
