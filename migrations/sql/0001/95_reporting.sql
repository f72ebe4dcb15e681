-- Read-only views for BI tools and auditors (CONTRACT.md). Columns are only ever added.
CREATE SCHEMA reporting;

-- The one definition of an order's status: first match (CONTRACT.md). Pages and views read it here.
CREATE VIEW order_status AS
SELECT o.id AS order_id,
       CASE
           WHEN o.state <> 'paid'                                  THEN o.state
           WHEN money.refunded >= money.paid AND money.paid > 0    THEN 'refunded'
           WHEN goods.living > 0 AND goods.received = goods.living THEN 'completed'
           WHEN goods.living > 0 AND goods.shipped = goods.living  THEN 'shipped'
           WHEN goods.shipped > 0                                  THEN 'partly_shipped'
           WHEN money.refunded > 0                                 THEN 'partly_refunded'
           ELSE 'paid'
       END AS status,
       money.paid, money.refunded
  FROM orders o
 CROSS JOIN LATERAL (
       SELECT COALESCE((SELECT sum(p.amount) FROM payments p WHERE p.order_id = o.id AND p.counts), 0)::bigint AS paid,
              COALESCE((SELECT sum(r.amount) FROM refunds r JOIN payments p ON p.id = r.payment_id
                         WHERE r.order_id = o.id AND p.counts AND r.state = 'succeeded'), 0)::bigint AS refunded
       ) money
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE state <> 'cancelled') AS living,
              count(*) FILTER (WHERE state IN ('shipped', 'ready', 'received', 'returned')) AS shipped,
              count(*) FILTER (WHERE state = 'received') AS received
         FROM parcels WHERE order_id = o.id
       ) goods;

CREATE VIEW reporting.sales AS
SELECT l.id AS line_id, o.number AS order_number, o.paid_at, l.facility_code, l.facility_name,
       l.workshop_name AS workshop, l.title AS product, l.sku, l.quantity, l.unit_price, l.net_amount,
       l.material_cost, s.premium, s.working_capital, s.state_revenue, s.other_shares, l.split_rule_id,
       p.gateway, p.reference AS payment_reference, o.channel, e.slug AS exhibition
  FROM orders o
  JOIN order_lines l ON l.order_id = o.id
  LEFT JOIN exhibitions e ON e.id = o.exhibition_id
 CROSS JOIN LATERAL (
       SELECT COALESCE(sum(x.amount) FILTER (WHERE f.code = 'premium'), 0)::bigint AS premium,
              COALESCE(sum(x.amount) FILTER (WHERE f.code = 'working_capital'), 0)::bigint AS working_capital,
              COALESCE(sum(x.amount) FILTER (WHERE f.code = 'state_revenue'), 0)::bigint AS state_revenue,
              COALESCE(sum(x.amount) FILTER (WHERE f.code NOT IN
                ('premium', 'working_capital', 'state_revenue')), 0)::bigint AS other_shares
         FROM order_line_shares x JOIN funds f ON f.id = x.fund_id
        WHERE x.order_line_id = l.id) s
  LEFT JOIN LATERAL (
       SELECT p.gateway, p.reference FROM payments p JOIN instalments i ON i.id = p.instalment_id
        WHERE p.order_id = o.id AND p.counts ORDER BY i.position DESC LIMIT 1) p ON true
 WHERE o.state = 'paid';

CREATE VIEW reporting.sale_shares AS
SELECT x.order_line_id AS line_id, f.code AS fund, sum(x.amount)::bigint AS amount
  FROM order_line_shares x
  JOIN funds f ON f.id = x.fund_id
  JOIN order_lines l ON l.id = x.order_line_id
  JOIN orders o ON o.id = l.order_id AND o.state = 'paid'
 GROUP BY x.order_line_id, f.code;

CREATE VIEW reporting.ledger_postings AS
SELECT p.id AS posting_id, p.entry_id, e.posted_at, e.effective_date, e.source, a.code AS account_code,
       f.code AS facility_code, o.number AS order_number, p.amount
  FROM postings p
  JOIN journal_entries e ON e.id = p.entry_id
  JOIN accounts a ON a.id = p.account_id
  LEFT JOIN facilities f ON f.id = a.facility_id
  LEFT JOIN orders o ON o.id = e.order_id;

CREATE VIEW reporting.stock AS
SELECT v.sku, COALESCE(s.on_hand, 0) AS on_hand, COALESCE(s.reserved, 0) AS reserved,
       COALESCE(s.on_hand - s.reserved, 0) AS available
  FROM variants v
  JOIN products p ON p.id = v.product_id
  LEFT JOIN stock_locations l ON l.facility_id = p.facility_id
  LEFT JOIN stock_levels s ON s.variant_id = v.id AND s.location_id = l.id
 WHERE NOT v.made_to_order;

CREATE VIEW reporting.stock_by_location AS
SELECT v.sku, COALESCE(e.slug, 'store') AS location, s.on_hand, s.reserved, s.on_hand - s.reserved AS available
  FROM stock_levels s
  JOIN variants v ON v.id = s.variant_id
  JOIN stock_locations l ON l.id = s.location_id
  LEFT JOIN exhibitions e ON e.id = l.exhibition_id;

CREATE VIEW reporting.orders AS
SELECT o.number AS order_number, o.placed_at, s.status, o.total, s.paid, s.refunded,
       (SELECT p.gateway FROM payments p WHERE p.order_id = o.id
         ORDER BY p.counts DESC, p.created_at DESC LIMIT 1) AS gateway
  FROM orders o JOIN order_status s ON s.order_id = o.id;
