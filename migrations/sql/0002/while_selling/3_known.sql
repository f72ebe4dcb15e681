-- SET NOT NULL believes a check that was validated before, and so does not look at every row again.
ALTER TABLE postings ALTER COLUMN effective_date SET NOT NULL;
ALTER TABLE postings DROP CONSTRAINT postings_day_known;
CREATE OR REPLACE TRIGGER postings_append_only BEFORE UPDATE OR DELETE ON postings
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
DROP FUNCTION fill_posting_day();
