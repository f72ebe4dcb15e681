"""Imports of listings: what was promised is stored or listed as a fault, and nothing came twice."""

from __future__ import annotations

from storefront.verify.invariant import Invariant

INVARIANTS = (
    Invariant(
        "import_rows_accounted",
        9,
        "An import that has ended promised as many rows as it stored, found unchanged, or lists with a reason.",
        """SELECT i.id AS import_id, i.rows, i.stored, i.unchanged, i.refused, count(r.row) AS found,
                  count(*) FILTER (WHERE r.outcome = 'stored') AS found_stored,
                  count(*) FILTER (WHERE r.outcome = 'nothing') AS found_unchanged,
                  count(*) FILTER (WHERE r.outcome IN ('fault', 'left')) AS found_refused
             FROM listing_imports i LEFT JOIN listing_import_rows r ON r.import_id = i.id
            WHERE i.ended_at IS NOT NULL
            GROUP BY i.id
           HAVING (i.rows, i.stored, i.unchanged, i.refused) IS DISTINCT FROM
                  (count(r.row), count(*) FILTER (WHERE r.outcome = 'stored'),
                   count(*) FILTER (WHERE r.outcome = 'nothing'),
                   count(*) FILTER (WHERE r.outcome IN ('fault', 'left')))""",
    ),
    Invariant(
        "import_products_whole",
        9,
        "Of a product in an import all rows are stored or none is.",
        """SELECT import_id, product FROM listing_import_rows WHERE outcome IS NOT NULL
            GROUP BY import_id, product
           HAVING bool_or(outcome IN ('stored', 'nothing')) AND bool_or(outcome IN ('fault', 'left'))""",
    ),
)
