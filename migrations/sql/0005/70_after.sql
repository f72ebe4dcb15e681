-- After the sale: cancelling before packing, problems that shoppers report, when a parcel counts as received, news of
-- the money, thanks to the workshop, and what people ask about their own data.

-- How long a shopper may report a problem, how soon it is answered, and when a parcel nobody confirms counts as
-- received; from a day on.
CREATE TABLE report_windows (
    valid_from     date PRIMARY KEY,
    days           integer NOT NULL CHECK (days BETWEEN 1 AND 90),          -- from receipt
    working_days   integer NOT NULL CHECK (working_days BETWEEN 2 AND 30),  -- and never fewer than these
    answer_days    integer NOT NULL CHECK (answer_days BETWEEN 1 AND 10),   -- working days for the facility's answer
    received_after integer NOT NULL CHECK (received_after BETWEEN 1 AND 60), -- days beyond the longest time on the road
    legal_basis    text NOT NULL CHECK (length(legal_basis) >= 10)
);
INSERT INTO report_windows VALUES ('2016-01-01', 7, 2, 2, 7,
    'PP 80 Tahun 2019 Pasal 69: paling singkat dua hari kerja sejak barang diterima; tujuh hari diandaikan untuk toko ini');

ALTER TABLE orders ADD COLUMN wants_news boolean NOT NULL DEFAULT true;      -- one letter when its shares have moved
ALTER TABLE parcels ADD COLUMN received_by_itself boolean NOT NULL DEFAULT false; -- nobody confirmed, its time had passed
ALTER TABLE parcels ADD CONSTRAINT parcels_by_itself CHECK (NOT received_by_itself OR received_at IS NOT NULL);
CREATE INDEX parcels_on_the_road ON parcels (shipped_at) WHERE state = 'shipped';

-- A shopper cancels a paid parcel before it is packed: its money goes back by itself and whole, so nobody proposes it,
-- and it can be of nothing but parcels that were called off.
ALTER TABLE refunds DROP CONSTRAINT refunds_reason_check, DROP CONSTRAINT refunds_automatic;
ALTER TABLE refunds
    ADD CONSTRAINT refunds_reason_check CHECK (reason IN
        ('paid_too_late', 'paid_twice', 'amount_differs', 'cancelled', 'cannot_fulfil', 'returned', 'damaged', 'lost',
         'goodwill')),
    ADD CONSTRAINT refunds_automatic CHECK ((reason IN ('paid_too_late', 'paid_twice', 'cancelled'))
                                            = (proposed_by IS NULL));

-- What holds for every refund, whatever its reason: what one person decided of its order stays below the limit, and no
-- payment, line or parcel gives back more than it took, what lost disputes took off included.
CREATE FUNCTION check_refund_bounds(refund refunds) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    fault text;
BEGIN
    IF (SELECT sum(amount) FROM refunds WHERE order_id = refund.order_id AND proposed_by IS NOT NULL
           AND approved_by IS NULL AND state NOT IN ('proposed', 'rejected')) >= refund_limit() THEN
        RAISE EXCEPTION 'refund %: what one person decided of the order reaches the limit', refund.id
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT 'payment ' || p.id INTO fault FROM payments p WHERE p.id = refund.payment_id
       AND (SELECT sum(r.amount) FROM refunds r WHERE r.payment_id = p.id
             AND r.state NOT IN ('rejected', 'failed')) > COALESCE(p.taken_amount, p.amount);
    IF fault IS NULL THEN
        SELECT 'order line ' || l.id INTO fault
          FROM order_lines l
          JOIN refund_lines x ON x.order_line_id = l.id
          JOIN refunds r ON r.id = x.refund_id AND r.state NOT IN ('rejected', 'failed')
         WHERE l.order_id = refund.order_id
         GROUP BY l.id, l.net_amount, l.quantity
        HAVING sum(x.quantity) > l.quantity OR sum(x.amount) + COALESCE((
               SELECT sum(d.amount) FROM dispute_shares d WHERE d.order_line_id = l.id), 0) > l.net_amount LIMIT 1;
    END IF;
    IF fault IS NULL THEN
        SELECT 'parcel ' || p.id INTO fault
          FROM parcels p
          JOIN refund_parcels x ON x.parcel_id = p.id
          JOIN refunds r ON r.id = x.refund_id AND r.state NOT IN ('rejected', 'failed')
         WHERE p.order_id = refund.order_id
         GROUP BY p.id, p.shipping_amount HAVING sum(x.amount) + COALESCE((
               SELECT sum(d.amount) FROM dispute_parcels d WHERE d.parcel_id = p.id), 0) > p.shipping_amount LIMIT 1;
    END IF;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'refund % gives back more than % took', refund.id, fault USING ERRCODE = 'check_violation';
    END IF;
END $$;

-- What depends on the reason: money that no goods belong to goes back whole, all other as the sum of its parts.
CREATE OR REPLACE FUNCTION check_refund() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    refund refunds;
    parts  bigint;
BEGIN
    SELECT * INTO refund FROM refunds WHERE id = COALESCE(
        (to_jsonb(NEW) ->> 'refund_id')::bigint, (to_jsonb(NEW) ->> 'id')::bigint);
    PERFORM FROM orders WHERE id = refund.order_id FOR NO KEY UPDATE;
    IF refund.reason NOT IN ('paid_too_late', 'paid_twice', 'amount_differs') THEN
        SELECT COALESCE((SELECT sum(amount) FROM refund_lines WHERE refund_id = refund.id), 0)
             + COALESCE((SELECT sum(amount) FROM refund_parcels WHERE refund_id = refund.id), 0) INTO parts;
        IF parts <> refund.amount THEN
            RAISE EXCEPTION 'refund % is of %, its parts sum to %', refund.id, refund.amount, parts
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF refund.reason = 'cancelled' AND (
        EXISTS (SELECT FROM refund_parcels x JOIN parcels p ON p.id = x.parcel_id
                 WHERE x.refund_id = refund.id AND p.state <> 'cancelled')
        OR EXISTS (SELECT FROM refund_lines x WHERE x.refund_id = refund.id AND x.quantity > COALESCE((
                       SELECT sum(l.quantity) FROM parcel_lines l JOIN parcels p ON p.id = l.parcel_id
                        WHERE l.order_line_id = x.order_line_id AND p.state = 'cancelled'), 0))) THEN
        RAISE EXCEPTION 'refund %: what was not called off is not given back by itself', refund.id
            USING ERRCODE = 'check_violation';
    END IF;
    PERFORM check_refund_bounds(refund);
    RETURN NULL;
END $$;

-- What a shopper says is wrong with a parcel. The facility answers by a day, after that the office decides.
CREATE TABLE problems (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id       bigint NOT NULL REFERENCES orders,
    parcel_id      bigint NOT NULL REFERENCES parcels,
    facility_id    bigint NOT NULL REFERENCES facilities,
    kind           text NOT NULL CHECK (kind IN ('damaged', 'wrong', 'missing', 'not_as_described', 'not_arrived')),
    words          text CHECK (length(words) BETWEEN 10 AND 2000),      -- null: erased
    state          text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'handed_over', 'accepted', 'refused')),
    reported_at    timestamptz NOT NULL DEFAULT now(),
    answer_by      date NOT NULL,                                       -- the facility's last day
    handed_over_at timestamptz,
    answered_at    timestamptz,
    answered_by    bigint REFERENCES people,
    answer         text NOT NULL DEFAULT '' CHECK (length(answer) <= 1000),
    refund_id      bigint UNIQUE REFERENCES refunds,
    request_key    text NOT NULL UNIQUE CHECK (request_key ~ '^[A-Za-z0-9_-]{16,64}$'),
    erased_at      timestamptz,
    CHECK ((words IS NULL) = (erased_at IS NOT NULL)),
    CHECK ((state IN ('accepted', 'refused')) = (answered_at IS NOT NULL AND answered_by IS NOT NULL)),
    CHECK ((state = 'accepted') = (refund_id IS NOT NULL)),
    CHECK (state <> 'handed_over' OR handed_over_at IS NOT NULL),
    CHECK (state <> 'refused' OR length(answer) >= 10)
);
CREATE INDEX problems_order ON problems (order_id);
CREATE INDEX problems_facility ON problems (facility_id, state, id);
CREATE INDEX problems_due ON problems (answer_by) WHERE state = 'open';
CREATE UNIQUE INDEX problems_one_waits ON problems (parcel_id) WHERE state IN ('open', 'handed_over');

-- What was said stays; an answer is final, and so is its deadline.
CREATE FUNCTION keep_problem() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    steps text[] := ARRAY['state', 'handed_over_at', 'answered_at', 'answered_by', 'answer', 'refund_id', 'words',
                          'erased_at'];
BEGIN
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - steps IS DISTINCT FROM to_jsonb(OLD) - steps
       OR (NEW.words IS DISTINCT FROM OLD.words AND NEW.words IS NOT NULL)
       OR (OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
           ('open', 'handed_over'), ('open', 'accepted'), ('open', 'refused'),
           ('handed_over', 'accepted'), ('handed_over', 'refused')))
       OR (OLD.state IN ('accepted', 'refused') AND (NEW.answer, NEW.answered_by, NEW.answered_at, NEW.refund_id)
           IS DISTINCT FROM (OLD.answer, OLD.answered_by, OLD.answered_at, OLD.refund_id)) THEN
        RAISE EXCEPTION 'problem % stays as it was said and answered', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER problems_keep BEFORE UPDATE OR DELETE ON problems FOR EACH ROW EXECUTE FUNCTION keep_problem();

CREATE TABLE problem_lines (
    problem_id    bigint NOT NULL REFERENCES problems,
    order_line_id bigint NOT NULL REFERENCES order_lines,
    quantity      integer NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (problem_id, order_line_id)
);
-- In private storage, encoded anew without what the camera wrote; seen by the shopper, the facility and the office.
CREATE TABLE problem_photos (
    problem_id bigint NOT NULL REFERENCES problems,
    position   smallint NOT NULL CHECK (position BETWEEN 1 AND 4),
    key        text NOT NULL UNIQUE,
    PRIMARY KEY (problem_id, position)
);

-- That an order's shares have really moved was told once; what was said then stays.
CREATE TABLE money_news (
    order_id bigint PRIMARY KEY REFERENCES orders,
    told_at  timestamptz NOT NULL DEFAULT now(),
    is_whole boolean NOT NULL,                      -- false: some of it was still on its way
    shares   jsonb NOT NULL CHECK (jsonb_typeof(shares) = 'array')
);
CREATE TRIGGER money_news_append_only BEFORE UPDATE OR DELETE ON money_news
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- One thank-you of an order to its workshops, read by a curator first. Without the shopper's name.
CREATE TABLE thank_yous (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id   bigint NOT NULL UNIQUE REFERENCES orders,
    words      text CHECK (length(words) BETWEEN 3 AND 280),            -- null: erased
    city       text NOT NULL DEFAULT '',
    locale     text NOT NULL CHECK (locale IN ('id', 'en')),            -- as the order speaks
    is_shown   boolean NOT NULL DEFAULT false,              -- to its workshops, as moderation decides
    written_at timestamptz NOT NULL DEFAULT now(),
    erased_at  timestamptz,
    CHECK ((words IS NULL) = (erased_at IS NOT NULL)),
    CHECK (NOT (is_shown AND erased_at IS NOT NULL))
);

-- Somebody wants to see or erase what is kept about them: the link to it goes to their address alone.
CREATE TABLE data_requests (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email        text CHECK (email = lower(email)),         -- null: of one order alone, or done
    order_id     bigint REFERENCES orders,
    locale       text NOT NULL CHECK (locale IN ('id', 'en')),
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    sent_at      timestamptz,
    erase_at     timestamptz,                               -- erasing was asked for; what is still needed waits
    erased_at    timestamptz,                               -- nothing is left
    CHECK (erased_at IS NULL OR (email IS NULL AND erase_at IS NOT NULL)),
    CHECK (erased_at IS NOT NULL OR num_nonnulls(email, order_id) = 1)
);
CREATE INDEX data_requests_waiting ON data_requests (erase_at) WHERE erase_at IS NOT NULL AND erased_at IS NULL;
CREATE INDEX data_requests_old ON data_requests (expires_at) WHERE erase_at IS NULL;
