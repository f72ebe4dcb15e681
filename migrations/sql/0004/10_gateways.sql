-- A provider's id of the captured money: its refunds and disputes speak of that, not of the payment page.
ALTER TABLE payments ADD COLUMN capture_reference text;
CREATE UNIQUE INDEX payments_capture ON payments (gateway, capture_reference) WHERE capture_reference IS NOT NULL;
