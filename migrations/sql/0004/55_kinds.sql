-- Entries of money that lies on our bank account and is a shopper's.
ALTER TABLE journal_entries DROP CONSTRAINT journal_entries_kind_check;
ALTER TABLE journal_entries ADD CONSTRAINT journal_entries_kind_check CHECK (kind IN (
    'sale', 'payment_held', 'refund', 'fee', 'payout', 'dispute', 'settlement', 'deposit', 'offset',
    'budget_return', 'cash_banked', 'correction', 'reversal', 'transfer_held', 'transfer_counted',
    'transfer_returned'));
