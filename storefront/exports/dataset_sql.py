"""The SQL behind `datasets`: each gives its columns by name; an unset filter asks for nothing."""

from __future__ import annotations

#: Columns of a statement's lines that stand beside further funds and the total.
STATEMENT_FUNDS = ("premium", "working_capital", "state_revenue", "shipping")

_FACILITY = "(%(facility_ids)s::bigint[] IS NULL OR {id} = ANY (%(facility_ids)s::bigint[]))"
_REGION = "(%(region)s::text IS NULL OR {column} = %(region)s)"
#: About a line as sold `l` and its order `o`.
_SOLD = """
   AND (%(region)s::text IS NULL OR l.regional_office = %(region)s)
   AND (%(category)s::text IS NULL OR l.category_id IN (
            SELECT c.id FROM categories c LEFT JOIN categories p ON p.id = c.parent_id
             WHERE c.slug = %(category)s OR p.slug = %(category)s))
   AND (%(workshop)s::text IS NULL OR l.workshop_name = %(workshop)s)
   AND (%(channel)s::text IS NULL OR o.channel = %(channel)s)
   AND (%(exhibition)s::text IS NULL OR x.slug = %(exhibition)s)"""

SALES = f"""
    SELECT s.*
      FROM reporting.sales s
      JOIN order_lines l ON l.id = s.line_id
      JOIN orders o ON o.id = l.order_id
      LEFT JOIN exhibitions x ON x.id = o.exhibition_id
     WHERE s.paid_at >= %(starts_at)s AND s.paid_at < %(ends_at)s AND s.paid_at <= %(as_of)s
       AND NOT EXISTS (SELECT FROM journal_entries e
                        WHERE e.order_id = l.order_id AND e.kind = 'sale' AND e.posted_at > %(as_of)s)
       AND {_FACILITY.format(id="l.facility_id")} {_SOLD}"""  # noqa: S608  (pieces of our own)

POSTINGS = f"""
    SELECT p.id AS posting_id, p.entry_id, e.posted_at, e.effective_date, e.kind, e.source, a.code AS account_code,
           f.code AS facility_code, o.number AS order_number, p.amount, e.happened_on
      FROM postings p
      JOIN journal_entries e ON e.id = p.entry_id
      JOIN accounts a ON a.id = p.account_id
      LEFT JOIN facilities f ON f.id = a.facility_id
      LEFT JOIN orders o ON o.id = e.order_id
     WHERE p.effective_date BETWEEN %(first)s AND %(last)s AND e.posted_at <= %(as_of)s
       AND {_FACILITY.format(id="a.facility_id")}
       AND {_REGION.format(column="f.regional_office")}
       AND (%(channel)s::text IS NULL OR o.channel = %(channel)s)"""  # noqa: S608

REFUNDS = f"""
    SELECT v.refund_id, v.line_id, v.effective_date, o.number AS order_number, l.facility_code, l.facility_name,
           l.workshop_name AS workshop, l.title AS product, l.sku, v.quantity, v.amount, v.reason, o.channel,
           x.slug AS exhibition
      FROM reporting.refunds v
      JOIN refunds r ON r.id = v.refund_id
      JOIN order_lines l ON l.id = v.line_id
      JOIN orders o ON o.id = l.order_id
      LEFT JOIN exhibitions x ON x.id = o.exhibition_id
     WHERE v.effective_date BETWEEN %(first)s AND %(last)s AND r.finished_at <= %(as_of)s
       AND {_FACILITY.format(id="l.facility_id")} {_SOLD}"""  # noqa: S608  (pieces of our own)

#: As they stand when they are read: where a parcel is has no books of its own.
PARCELS = f"""
    SELECT p.id AS parcel_id, o.number AS order_number, p.position, o.paid_at, f.code AS facility_code,
           f.name AS facility_name, p.state, m.code AS method, p.courier, w.quantity, w.net_amount,
           p.shipping_amount, p.ready_by, p.packed_at, p.shipped_at, p.received_at, o.channel, x.slug AS exhibition
      FROM parcels p
      JOIN orders o ON o.id = p.order_id AND o.state = 'paid'
      JOIN facilities f ON f.id = p.facility_id
      JOIN shipping_methods m ON m.id = p.method_id
      LEFT JOIN exhibitions x ON x.id = o.exhibition_id
     CROSS JOIN LATERAL (SELECT COALESCE(sum(i.quantity), 0)::bigint AS quantity,
                                COALESCE(sum(i.quantity * l.unit_price), 0)::bigint AS net_amount
                           FROM parcel_lines i JOIN order_lines l ON l.id = i.order_line_id
                          WHERE i.parcel_id = p.id) w
     WHERE o.paid_at >= %(starts_at)s AND o.paid_at < %(ends_at)s AND o.paid_at <= %(as_of)s
       AND {_FACILITY.format(id="p.facility_id")}
       AND {_REGION.format(column="f.regional_office")}
       AND (%(channel)s::text IS NULL OR o.channel = %(channel)s)
       AND (%(exhibition)s::text IS NULL OR x.slug = %(exhibition)s)
       AND (%(state)s::text IS NULL OR p.state = %(state)s)"""  # noqa: S608

#: Fund by fund, so that further funds are further rows.
BALANCES = f"""
    SELECT f.code AS facility_code, f.name AS facility_name, f.regional_office AS region,
           COALESCE(u.code, 'shipping') AS fund, u.position,
           COALESCE(-sum(p.amount) FILTER (WHERE a.kind = 'liability'), 0)::bigint AS owed,
           COALESCE(sum(p.amount) FILTER (WHERE a.kind = 'asset'), 0)::bigint AS receivable,
           -sum(p.amount)::bigint AS balance
      FROM accounts a
      JOIN postings p ON p.account_id = a.id
      JOIN journal_entries e ON e.id = p.entry_id
      JOIN facilities_at(%(as_of)s) f ON f.id = a.facility_id
      LEFT JOIN funds u ON u.id = a.fund_id
     WHERE p.effective_date <= %(last)s AND e.posted_at <= %(as_of)s
       AND {_FACILITY.format(id="a.facility_id")}
       AND {_REGION.format(column="f.regional_office")}
     GROUP BY f.code, f.name, f.regional_office, u.code, u.position"""  # noqa: S608
BALANCES_ORDER = "ORDER BY facility_name, facility_code, position NULLS LAST"

#: As `reporting.training` stood at a moment: what was checked by then and not withdrawn by then. Without names, the
#: programme's own number is the last that tells two alike apart.
TRAINING = f"""
    SELECT f.code AS facility_code, w.name AS workshop, t.kind, t.skill, t.started_on, t.ended_on, t.participants,
           t.women, t.passed, t.certified, t.id
      FROM training_programmes t
      JOIN facilities f ON f.id = t.facility_id
      JOIN workshops w ON w.id = t.workshop_id
     WHERE t.ended_on BETWEEN %(first)s AND %(last)s AND t.checked_at <= %(as_of)s
       AND (t.withdrawn_at IS NULL OR t.withdrawn_at > %(as_of)s)
       AND (%(workshop)s::text IS NULL OR w.name = %(workshop)s)
       AND {_FACILITY.format(id="t.facility_id")}
       AND {_REGION.format(column="f.regional_office")}"""  # noqa: S608
TRAINING_ORDER = "ORDER BY ended_on, facility_code, id"
