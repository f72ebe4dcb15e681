"""What breaks the promises about pieces for exhibitions (`verify/brought.py`), for `test_verify`."""

from __future__ import annotations

#: Sent without a plan, and nothing moved.
SENT = (
    "INSERT INTO exhibition_sendings (exhibition_id, facility_id, number, request_key, sent_by)"
    " SELECT 1, p.facility_id, 1, repeat('k', 20), 1 FROM variants v JOIN products p ON p.id = v.product_id"
    " WHERE v.id = (SELECT min(id) FROM variants);"
    " INSERT INTO exhibition_sending_lines SELECT exhibition_id, facility_id, number, (SELECT min(id) FROM variants), 3"
    " FROM exhibition_sendings"
)

#: Packed and counted, and nothing moved.
RETURNED = (
    "INSERT INTO exhibition_returns (exhibition_id, facility_id, number, request_key, packed_by)"
    " SELECT 1, p.facility_id, 1, repeat('r', 20), 1 FROM variants v JOIN products p ON p.id = v.product_id"
    " WHERE v.id = (SELECT min(id) FROM variants);"
    " INSERT INTO exhibition_return_lines SELECT exhibition_id, facility_id, number, (SELECT min(id) FROM variants), 3"
    " FROM exhibition_returns WHERE request_key = repeat('r', 20);"
    " INSERT INTO exhibition_arrivals (exhibition_id, facility_id, return_number, counted_by)"
    " SELECT exhibition_id, facility_id, number, 1 FROM exhibition_returns WHERE request_key = repeat('r', 20);"
    " INSERT INTO exhibition_arrival_lines SELECT max(id), (SELECT min(id) FROM variants), 3, 3, ''"
    " FROM exhibition_arrivals"
)

BREAKS = [
    ("sent_pieces_moved_once", SENT),
    (
        "sent_pieces_moved_once",
        "UPDATE stock_movements SET source = 'sending:1:1:1:1:in' WHERE id = (SELECT min(id) FROM stock_movements)",
    ),
    ("returned_pieces_moved_once", RETURNED),
    ("arrived_pieces_moved_once", RETURNED),
    (
        "arrived_pieces_moved_once",
        "UPDATE stock_movements SET source = 'arrival:1:1:in' WHERE id = (SELECT min(id) FROM stock_movements)",
    ),
    ("sent_within_plan", SENT),
    ("sent_within_plan", "INSERT INTO exhibition_pieces SELECT 1, 0, min(id), 3 FROM variants"),
]
