-- Both sides of each line, as in 0004. Its entries are found by their ids: asked with OR, PostgreSQL read every posting
-- of the clearing account for every line of the provider.
CREATE OR REPLACE VIEW provider_line_matches AS
SELECT l.id AS line_id, l.gateway, l.day, l.kind, part.what, part.entry_id, part.theirs,
       CASE WHEN part.what = 'amount' AND l.pair_id IS NOT NULL THEN l.amount ELSE part.ours END AS ours
  FROM provider_lines l
 CROSS JOIN LATERAL (
       SELECT x.what, x.entry_id, x.theirs, (
              SELECT sum(p.amount)::bigint
                FROM (SELECT x.entry_id AS id
                      UNION
                      SELECT e.id FROM reconciliation_differences d
                        JOIN journal_entries e ON e.source = 'correction:' || d.correction_id
                       WHERE d.line_id = l.id AND d.what = x.what AND d.state = 'settled') said
                JOIN postings p ON p.entry_id = said.id
                JOIN accounts a ON a.id = p.account_id AND a.code = 'clearing:' || l.gateway) AS ours
         FROM (VALUES ('amount', l.entry_id, l.amount), ('fee', l.fee_entry_id, -l.fee)) x (what, entry_id, theirs)
        WHERE x.theirs <> 0) part;
