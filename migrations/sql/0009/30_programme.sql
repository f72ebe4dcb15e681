-- The number on the bank's slip for cash that was brought there: by it the bank's own line calls the cash by name.
ALTER TABLE till_settlements ADD COLUMN bank_reference text NOT NULL DEFAULT '';
ALTER TABLE till_settlements
    ADD CONSTRAINT till_settlements_bank_reference CHECK (length(bank_reference) <= 60 AND (bank_reference = '' OR banked > 0));

-- What the office decided on a training record is told to its facility.
ALTER TABLE notices DROP CONSTRAINT notices_kind_check;
ALTER TABLE notices ADD CONSTRAINT notices_kind_check
    CHECK (kind IN ('parcel', 'question', 'quote', 'sent_back', 'problem', 'stand', 'training', 'digest'));
ALTER TABLE notice_choices DROP CONSTRAINT notice_choices_kind_check;
ALTER TABLE notice_choices ADD CONSTRAINT notice_choices_kind_check
    CHECK (kind IN ('parcel', 'question', 'quote', 'sent_back', 'problem', 'stand', 'training', 'digest'));
