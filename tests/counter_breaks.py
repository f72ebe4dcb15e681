"""What breaks the promises about stands and their tills (`verify/counter.py`), for `test_verify`."""

from __future__ import annotations

#: A fair with a till and one closed session, by hand.
TILL = (
    "INSERT INTO exhibitions (slug, name, starts_on, ends_on) VALUES ('stan', 'Stan', '2020-01-01', '2020-01-05');"
    " INSERT INTO tills (exhibition_id, name, account, made_by)"
    " SELECT max(id), 'Kas 1', 'cash:stan:1', (SELECT min(id) FROM people) FROM exhibitions;"
    " INSERT INTO till_sessions (till_id, exhibition_id, opened_by, opened_at, opening_float, closed_by, closed_at,"
    " counted, expected) SELECT t.id, t.exhibition_id, t.made_by, now() - interval '9 hours', 0, t.made_by,"
    " now() - interval '1 hour', 0, 0 FROM tills t"
)
#: An order of the shop that says it is a stand's: its sale in that session, whose money lies elsewhere.
SOLD = (
    TILL + "; ALTER TABLE counter_sales DISABLE TRIGGER USER;"
    " INSERT INTO counter_sales (order_id, exhibition_id, session_id, cashier_id, key, request_hash, payment, tendered,"
    " change, sold_at, phone_at, is_late) SELECT o.id, s.exhibition_id, s.id, s.opened_by, 'k', sha256('x'), 'cash',"
    " o.total, 0, now(), now(), true FROM till_sessions s, "
    " (SELECT * FROM orders WHERE state = 'paid' ORDER BY id LIMIT 1) o"
)

BREAKS = [
    ("counter_sales_once", SOLD),
    ("till_cash", SOLD),
    ("late_sales_are_late", SOLD + "; UPDATE counter_sales SET is_late = false, phone_at = NULL"),
    (
        "voids_by_two",
        TILL + "; ALTER TABLE counter_voids DISABLE TRIGGER USER; ALTER TABLE counter_voids DROP CONSTRAINT"
        " counter_voids_check; INSERT INTO counter_voids (refund_id, session_id, is_cash, asked_by, agreed_by)"
        " SELECT (SELECT min(id) FROM refunds), id, false, opened_by, opened_by FROM till_sessions",
    ),
    (
        "conflicts_decided_once",
        TILL + "; INSERT INTO counter_conflicts (exhibition_id, session_id, cashier_id, key, request_hash, reason,"
        " sold, total, sold_at, phone_at, settled, settled_by, settled_at, order_id)"
        " SELECT exhibition_id, id, opened_by, 'k', sha256('x'), 'stock', '{}', 0, now(), now(), 'sold', opened_by,"
        " now(), (SELECT min(id) FROM orders) FROM till_sessions",
    ),
    (
        "till_settlements_booked_once",
        TILL + "; INSERT INTO till_settlements (session_id, banked, difference, on_day, note, settled_by, request_key)"
        " SELECT id, 0, 5, '2020-01-05', 'lebih lima', opened_by, repeat('k', 20) FROM till_sessions",
    ),
]
