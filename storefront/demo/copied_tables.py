"""What an order that ended well consists of, table by table, and how a copy of it differs from its original.

In the SQL: `o` is an original order (`source`, `payment`, `entry`: its ids), `s` a row of it, `c` a copy of the
order, `x` a copied line and `y` a copied parcel (`source` and `id`: its id before and after).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Copied:
    """One table."""

    name: str
    #: Which rows belong to an original.
    own: str
    #: How the rows of the original meet a copy.
    joined: str
    #: Columns that are said otherwise. What is not named here: ids of the order and its payment are the
    #: copy's, moments and days are moved, ids of the row's own are new.
    changes: dict[str, str] = field(default_factory=dict)


def event(alias: str) -> str:
    """The id of the provider's event, copied; `alias` is the original's."""
    return f"'evt_' || md5(c.payment_id || {alias}.id)"


def event_body(alias: str) -> str:
    """What the event says, with the copy's ids."""
    return f"replace(replace({alias}.body, {alias}.id, {event(alias)}), {alias}.payment_id, c.payment_id)"


OF_ORDER = "s.order_id = o.source"
OF_LINES = "s.order_line_id IN (SELECT id FROM order_lines WHERE order_id = o.source)"
BY_ORDER = "ON s.order_id = c.source"
LINES = "JOIN copied_lines x ON x.n = c.n"
PARCELS = "JOIN copied_parcels y ON y.n = c.n"

#: In an order in which each is written after what it refers to.
TABLES = (
    Copied(
        "orders",
        "s.id = o.source",
        "JOIN original_orders s ON s.id = c.source",
        {"id": "c.order_id", "number": "c.number", "person_id": "NULL"},
    ),
    Copied("instalments", OF_ORDER, f"JOIN original_instalments s {BY_ORDER}", {"id": "c.instalment_id"}),
    Copied(
        "order_contacts",
        OF_ORDER,
        f"JOIN original_order_contacts s {BY_ORDER}",
        {
            # As in all of the demo: numbers and addresses that reach nobody.
            "email": "CASE WHEN s.email IS NOT NULL THEN 'pembeli' || c.n || '@example.test' END",
            "phone": "CASE WHEN s.phone IS NOT NULL THEN '+62800' || lpad(c.n::text, 9, '0') END",
            "network": "NULL",
        },
    ),
    Copied("order_addresses", OF_ORDER, f"JOIN original_order_addresses s {BY_ORDER}"),
    Copied("order_notes", OF_ORDER, f"JOIN original_order_notes s {BY_ORDER}"),
    Copied(
        "order_lines", OF_ORDER, f"{LINES} JOIN original_order_lines s ON s.id = x.source", {"id": "x.id"}
    ),
    Copied(
        "order_line_shares",
        OF_LINES,
        f"{LINES} JOIN original_order_line_shares s ON s.order_line_id = x.source",
        {"order_line_id": "x.id"},
    ),
    Copied(
        "parcels",
        OF_ORDER,
        f"{PARCELS} JOIN original_parcels s ON s.id = y.source",
        {
            "id": "y.id",
            "split_from": "NULL",
            "split_key": "NULL",
            "tracking": "CASE WHEN s.tracking IS NOT NULL THEN 'CONTOH' || lpad(y.id::text, 9, '0') END",
        },
    ),
    Copied(
        "parcel_lines",
        OF_LINES,
        f"{PARCELS} {LINES} JOIN original_parcel_lines s ON (s.parcel_id, s.order_line_id) = (y.source, x.source)",
        {"parcel_id": "y.id", "order_line_id": "x.id"},
    ),
    Copied(
        "reservations",
        OF_LINES,
        f"{LINES} JOIN original_reservations s ON s.order_line_id = x.source",
        {"order_line_id": "x.id"},
    ),
    Copied(
        "stock_movements",
        "s.source IN (SELECT 'order_line:' || id || ':sold' FROM order_lines WHERE order_id = o.source)",
        f"{LINES} JOIN original_stock_movements s ON s.source = 'order_line:' || x.source || ':sold'",
        {"source": "'order_line:' || x.id || ':sold'"},
    ),
    Copied(
        "payments",
        "s.id = o.payment",
        "JOIN original_payments s ON s.id = c.payment",
        {"id": "c.payment_id", "reference": "c.payment_id", "url": "replace(s.url, s.id, c.payment_id)"},
    ),
    Copied(
        "payment_attempts",
        "s.payment_id = o.payment",
        "JOIN original_payment_attempts s ON s.payment_id = c.payment",
    ),
    Copied(
        "sandbox_payments",
        "s.id = o.payment",
        "JOIN original_sandbox_payments s ON s.id = c.payment",
        {
            "id": "c.payment_id",
            "description": "c.number",
            # The original's token opens another order.
            "return_url": "replace(split_part(s.return_url, '?', 1), s.description, c.number)",
        },
    ),
    Copied(
        "sandbox_events",
        "s.payment_id = o.payment",
        "JOIN original_sandbox_events s ON s.payment_id = c.payment",
        {"id": event("s"), "body": event_body("s")},
    ),
    Copied(
        "payment_events",
        "s.event_id IN (SELECT id FROM sandbox_events WHERE payment_id = o.payment)",
        """JOIN original_sandbox_events e ON e.payment_id = c.payment
           JOIN original_payment_events s ON s.gateway = 'sandbox' AND s.event_id = e.id""",
        {"event_id": event("e"), "body": f"convert_to({event_body('e')}, 'UTF8')"},
    ),
    Copied(
        "messages",
        OF_ORDER,
        f"""JOIN original_messages s {BY_ORDER}
            LEFT JOIN copied_parcels y ON (y.n, y.source) = (c.n, s.parcel_id)""",
        {"key": "COALESCE('parcel:' || y.id, 'order:' || c.order_id) || ':' || s.kind", "parcel_id": "y.id"},
    ),
    Copied(
        "audit_events",
        """s.subject_kind = 'parcel'
           AND s.subject_id IN (SELECT id::text FROM parcels WHERE order_id = o.source)""",
        f"{PARCELS} JOIN original_audit_events s ON s.subject_id = y.source::text",
        {"subject_id": "y.id::text"},
    ),
    Copied(
        "journal_entries",
        "s.id = o.entry",
        "JOIN original_journal_entries s ON s.id = c.entry",
        {"id": "c.entry_id", "source": "'payment:' || c.payment_id || ':captured'"},
    ),
    Copied(
        "postings",
        "s.entry_id = o.entry",
        """JOIN original_postings s ON s.entry_id = c.entry
           LEFT JOIN copied_lines x ON (x.n, x.source) = (c.n, s.order_line_id)""",
        {"entry_id": "c.entry_id", "order_line_id": "x.id"},
    ),
)
