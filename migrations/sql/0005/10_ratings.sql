-- What buyers' public reviews give a product: kept beside it, so that lists need not add them up.
CREATE TABLE product_ratings (
    product_id bigint PRIMARY KEY REFERENCES products ON DELETE CASCADE,
    stars      bigint NOT NULL,                     -- sum of the stars of its public reviews
    reviews    integer NOT NULL CHECK (reviews >= 0),
    CHECK (stars BETWEEN reviews AND 5 * reviews::bigint)
);
