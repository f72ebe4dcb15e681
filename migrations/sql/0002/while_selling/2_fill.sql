-- One batch, by id.
UPDATE postings p SET effective_date = e.effective_date FROM journal_entries e
 WHERE e.id = p.entry_id AND p.effective_date IS NULL AND p.id > %(after)s AND p.id <= %(upto)s
