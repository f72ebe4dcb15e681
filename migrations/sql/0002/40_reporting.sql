-- The reporting views of the books (CONTRACT.md).
CREATE OR REPLACE VIEW reporting.ledger_postings AS
SELECT p.id AS posting_id, p.entry_id, e.posted_at, e.effective_date, e.source, a.code AS account_code,
       f.code AS facility_code, o.number AS order_number, p.amount,
       e.happened_on                                        -- where its own month was closed before it was known
  FROM postings p
  JOIN journal_entries e ON e.id = p.entry_id
  JOIN accounts a ON a.id = p.account_id
  LEFT JOIN facilities f ON f.id = a.facility_id
  LEFT JOIN orders o ON o.id = e.order_id;

CREATE VIEW reporting.refunds AS
SELECT r.id AS refund_id, x.order_line_id AS line_id, accounting_date(r.finished_at) AS effective_date,
       x.quantity, x.amount, r.reason
  FROM refunds r JOIN refund_lines x ON x.refund_id = r.id
 WHERE r.state = 'succeeded';

CREATE VIEW reporting.refund_shares AS
SELECT s.refund_id, s.order_line_id AS line_id, f.code AS fund, sum(s.amount)::bigint AS amount
  FROM refund_shares s JOIN funds f ON f.id = s.fund_id
 GROUP BY s.refund_id, s.order_line_id, f.code;

CREATE VIEW reporting.fund_balances AS
SELECT f.code AS facility_code, fund.code AS fund, (-COALESCE(sum(p.amount), 0))::bigint AS owed
  FROM accounts a
  JOIN facilities f ON f.id = a.facility_id
  JOIN funds fund ON fund.id = a.fund_id
  LEFT JOIN postings p ON p.account_id = a.id
 GROUP BY f.code, fund.code;

CREATE VIEW reporting.deposits AS
SELECT d.id AS deposit_id, f.code AS facility_code, d.amount, d.billing_code, d.ntpn, d.paid_on
  FROM deposits d JOIN facilities f ON f.id = d.facility_id
 WHERE d.state = 'paid';

CREATE VIEW reporting.deposit_lines AS
SELECT l.deposit_id, l.posting_id, p.order_line_id AS line_id, l.amount
  FROM deposit_lines l
  JOIN deposits d ON d.id = l.deposit_id AND d.state = 'paid'
  JOIN postings p ON p.id = l.posting_id;

CREATE VIEW reporting.settlements AS
SELECT s.id AS settlement_id, f.code AS facility_code, COALESCE(fund.code, 'shipping') AS fund, s.amount,
       s.approved_at, s.paid_on, s.bank_reference
  FROM settlements s
  JOIN facilities f ON f.id = s.facility_id
  LEFT JOIN funds fund ON fund.id = s.fund_id
 WHERE s.state = 'paid';

CREATE VIEW reporting.premium_distributions AS
SELECT d.id AS distribution_id, f.code AS facility_code, w.name AS workshop, d.distributed_on, d.people, d.amount
  FROM premium_distributions d
  JOIN facilities f ON f.id = d.facility_id
  JOIN workshops w ON w.id = d.workshop_id
 WHERE d.state = 'approved';
