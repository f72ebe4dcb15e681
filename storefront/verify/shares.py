"""Shares of a sale, reckoned again by a second, plain model: which rule held, and what it gives to whom."""

from __future__ import annotations

from storefront.verify.invariant import Invariant

#: Largest remainder in whole numbers: floor first, then one rupiah each by remainder, ties to the rule's order.
EXPECTED = """
    SELECT order_line_id, position, fund_id, basis_points,
           floor + CASE WHEN row_number() OVER (PARTITION BY order_line_id ORDER BY remainder DESC, position)
                             <= to_divide - sum(floor) OVER (PARTITION BY order_line_id) THEN 1 ELSE 0 END AS amount
      FROM (SELECT l.id AS order_line_id, s.position, s.fund_id, s.basis_points, d.to_divide,
                   d.to_divide * s.basis_points / 10000 AS floor, d.to_divide * s.basis_points % 10000 AS remainder
              FROM order_lines l
              JOIN split_rules r ON r.id = l.split_rule_id
              JOIN split_rule_shares s ON s.split_rule_id = r.id
             CROSS JOIN LATERAL (SELECT l.net_amount - CASE r.basis WHEN 'profit'
                                 THEN least(l.material_cost, l.net_amount) ELSE 0 END AS to_divide) d) floors
    UNION ALL
    SELECT l.id, 0, f.id, NULL, least(l.material_cost, l.net_amount)
      FROM order_lines l
      JOIN split_rules r ON r.id = l.split_rule_id AND r.basis = 'profit'
      JOIN funds f ON f.code = 'working_capital'
     WHERE l.material_cost > 0
"""

#: The rules that held for a line when its order was placed, the narrowest first. One approved later, for days
#: that were past, did not hold then, unless the order itself was written later.
IN_FORCE = """
    SELECT r.id
      FROM split_rules r
     WHERE (r.approved_at <= o.placed_at OR (r.id = l.split_rule_id AND r.approved_at IS NOT NULL))
       AND accounting_date(o.placed_at) BETWEEN r.valid_from AND COALESCE(r.valid_to, 'infinity')
       AND (r.exhibition_id IS NULL OR r.exhibition_id = o.exhibition_id)
       AND (r.facility_id IS NULL OR r.facility_id = l.facility_id)
       AND (r.workshop_id IS NULL OR r.workshop_id = l.workshop_id)
       AND (r.commodity_group_id IS NULL OR r.commodity_group_id = l.commodity_group_id)
     ORDER BY r.exhibition_id IS NULL,
              CASE WHEN r.facility_id IS NOT NULL AND r.workshop_id IS NOT NULL        THEN 1
                   WHEN r.facility_id IS NOT NULL AND r.commodity_group_id IS NOT NULL THEN 2
                   WHEN r.facility_id IS NOT NULL                                      THEN 3
                   WHEN r.commodity_group_id IS NOT NULL                               THEN 4
                   ELSE 5 END
     LIMIT 1
"""

INVARIANTS = (
    Invariant(
        "shares_sum_to_the_line",
        6,
        "The shares of a line add up to its net amount.",
        """SELECT l.id AS order_line_id, l.net_amount, COALESCE(sum(s.amount), 0)::bigint AS shares
             FROM order_lines l LEFT JOIN order_line_shares s ON s.order_line_id = l.id
            GROUP BY l.id HAVING l.net_amount <> COALESCE(sum(s.amount), 0)""",
    ),
    Invariant(
        "shares_follow_the_rule",
        6,
        "Each line's shares are what its rule gives, reckoned again: material first under basis profit, "
        "then by the largest remainder.",
        f"""SELECT order_line_id, position, e.fund_id AS expected_fund, e.amount AS expected,
                   s.fund_id AS fund, s.amount
              FROM ({EXPECTED}) e
              FULL JOIN order_line_shares s USING (order_line_id, position)
             WHERE (e.fund_id, e.basis_points, e.amount) IS DISTINCT FROM (s.fund_id, s.basis_points, s.amount)""",  # noqa: S608
    ),
    Invariant(
        "lines_keep_their_rule",
        6,
        "Each line carries the approved rule that was in force, the narrowest, when its order was placed.",
        f"""SELECT l.id AS order_line_id, o.placed_at, l.split_rule_id AS used, n.id AS in_force,
                   l.split_basis, r.basis
              FROM order_lines l
              JOIN orders o ON o.id = l.order_id
              JOIN split_rules r ON r.id = l.split_rule_id
              LEFT JOIN LATERAL ({IN_FORCE}) n ON true
             WHERE l.split_rule_id IS DISTINCT FROM n.id OR l.split_basis <> r.basis""",  # noqa: S608
    ),
    Invariant(
        "rules_divide_the_whole",
        6,
        "The shares of a rule add up to 10,000 basis points.",
        """SELECT r.id AS split_rule_id, COALESCE(sum(s.basis_points), 0) AS basis_points
             FROM split_rules r LEFT JOIN split_rule_shares s ON s.split_rule_id = r.id
            GROUP BY r.id HAVING COALESCE(sum(s.basis_points), 0) <> 10000""",
    ),
    Invariant(
        "one_rule_for_a_scope",
        6,
        "Of one scope at most one approved rule is in force on any day.",
        """SELECT a.id AS split_rule_id, b.id AS other FROM split_rules a JOIN split_rules b ON a.id < b.id
            WHERE a.approved_at IS NOT NULL AND b.approved_at IS NOT NULL
              AND (a.exhibition_id, a.facility_id, a.workshop_id, a.commodity_group_id) IS NOT DISTINCT FROM
                  (b.exhibition_id, b.facility_id, b.workshop_id, b.commodity_group_id)
              AND daterange(a.valid_from, a.valid_to, '[]') && daterange(b.valid_from, b.valid_to, '[]')""",
    ),
)
