"""What breaks the promises about orders that are collected at a stand (`verify/collected.py`), for `test_verify`."""

from __future__ import annotations

#: A fair with a hall, and a paid parcel that goes there; the facility takes part where the second statement says so.
FAIR = (
    "INSERT INTO exhibitions (slug, name, starts_on, ends_on)"
    " VALUES ('pameran-uji', 'Pameran Uji', current_date, current_date + 9)"
)
GOES_THERE = (
    "UPDATE parcels SET is_pickup = true, shipping_amount = 0, exhibition_id = x.id, method_id = m.id"
    " FROM exhibitions x, shipping_methods m WHERE x.slug = 'pameran-uji' AND m.code = 'stand'"
    " AND parcels.state = 'to_pack'"
)
TAKES_PART = (
    "INSERT INTO exhibition_facilities (exhibition_id, facility_id)"
    " SELECT x.id, f.id FROM exhibitions x, facilities f WHERE x.slug = 'pameran-uji'"
)

BREAKS = [
    ("collected_at_one_stand", f"{FAIR}; {GOES_THERE}"),
    (
        "collected_at_one_stand",
        "UPDATE parcels SET method_id = (SELECT id FROM shipping_methods WHERE code = 'stand') WHERE state = 'to_pack'",
    ),
    ("collected_at_one_stand", f"{FAIR}; {TAKES_PART}; {GOES_THERE}; UPDATE exhibitions SET kind = 'campaign'"),
    (
        "collected_from_the_store",
        f"{FAIR}; {TAKES_PART}; {GOES_THERE}; ALTER TABLE order_lines DISABLE TRIGGER USER;"
        " INSERT INTO stock_locations (exhibition_id) SELECT id FROM exhibitions WHERE slug = 'pameran-uji';"
        " UPDATE order_lines SET location_id = (SELECT max(id) FROM stock_locations) WHERE location_id IS NOT NULL",
    ),
    (
        "collected_from_the_store",
        f"{FAIR}; {TAKES_PART}; {GOES_THERE}; UPDATE orders SET channel = 'quote'",
    ),
]
