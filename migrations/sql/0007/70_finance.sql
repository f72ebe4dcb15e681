-- Finance's long lists are paged by key; these answer their orders.
CREATE INDEX bank_lines_place ON bank_lines ((state = 'open'), booked_on, id);
CREATE INDEX bank_lines_latest ON bank_lines (booked_on, id);
CREATE INDEX bank_lines_amount ON bank_lines (amount, id);
