"""The differences of a stock-take as a table for CSV and XLSX: settled rows as they were, the others as they stand."""

from __future__ import annotations

import datetime

from flask_babel import gettext as _

from storefront.exports.columns import amount, moment, number, text
from storefront.exports.table import Table

COLUMNS = (
    number("position"),
    text("sku"),
    text("product"),
    text("workshop"),
    number("expected"),
    number("counted"),
    number("difference"),
    number("price"),
    number("material_cost"),
    amount("value_at_price"),
    amount("value_at_material_cost"),
    moment("counted_at"),
    text("counted_by"),
    text("state"),
)
ROWS = """
    SELECT position, sku, product, workshop, expected, counted, counted - expected AS difference, price, material_cost,
           ((counted - expected) * price)::bigint AS value_at_price,
           ((counted - expected) * material_cost)::bigint AS value_at_material_cost, counted_at, counted_by, state
      FROM (SELECT r.position, v.sku, p.title || CASE WHEN v.title <> '' THEN ' · ' || v.title ELSE '' END AS product,
                   w.name AS workshop, c.expected, c.counted, COALESCE(r.price, v.price) AS price,
                   CASE WHEN r.settled_at IS NULL THEN v.material_cost ELSE r.material_cost END AS material_cost,
                   c.counted_at, n.name AS counted_by,
                   CASE WHEN r.settled_at IS NOT NULL THEN 'settled' WHEN s.differ THEN 'counts_differ'
                        WHEN c.id IS NOT NULL THEN 'counted' ELSE 'not_counted' END AS state
              FROM stock_take_rows r
              JOIN variants v ON v.id = r.variant_id
              JOIN products p ON p.id = v.product_id
              JOIN workshops w ON w.id = p.workshop_id
              LEFT JOIN stock_row_counts s ON (s.stock_take_id, s.position) = (r.stock_take_id, r.position)
              LEFT JOIN stock_counts c ON c.id = COALESCE(r.count_id, s.count_id)
              LEFT JOIN people n ON n.id = c.person_id
             WHERE r.stock_take_id = %(take)s) told
     ORDER BY position"""


def differences_table(take_id: int, facility_code: str, take_number: int, as_of: datetime.datetime) -> Table:
    """All rows of a stock-take, in the order of its sheet."""
    return Table(
        export="stock_take",
        name=f"selisih-stok-{facility_code}-{take_number}",
        title=_("Selisih stok"),
        columns=COLUMNS,
        sql=ROWS,
        parameters={"take": take_id},
        filters={"facility": facility_code, "number": take_number},
        as_of=as_of,
    )
