-- The audit log of admins, and orders that were cancelled after they were confirmed.

CREATE TABLE admin_actions (
    -- There are gaps, because a repeated request takes a number and writes no row.
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    who             text NOT NULL,
    action          text NOT NULL,
    target          text NOT NULL,
    arguments       jsonb NOT NULL,
    -- begun, done, or why it was declined. An action that stays begun was cut off: retry it.
    outcome         text NOT NULL DEFAULT 'begun',
    idempotency_key text,
    correlation_id  text NOT NULL,
    begun_at        timestamptz NOT NULL DEFAULT now(),
    ended_at        timestamptz,
    CONSTRAINT a_key_names_one_action UNIQUE (who, idempotency_key)
);

-- When the units of an order that had been CONFIRMED went back to products.stock.
ALTER TABLE orders ADD COLUMN returned_at timestamptz;
CREATE INDEX orders_returned_idx ON orders (product_id) WHERE returned_at IS NOT NULL;
