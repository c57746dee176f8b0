-- Payment holds: an order of V5 is RESERVED until it is paid or expires, where its product says so.

ALTER TABLE products
    -- Seconds for which a buyer may pay; 0: an order is CONFIRMED at once.
    ADD COLUMN hold_seconds integer NOT NULL DEFAULT 0 CHECK (hold_seconds BETWEEN 0 AND 86400),
    ADD COLUMN currency text NOT NULL DEFAULT 'EUR' CHECK (currency ~ '^[A-Z]{3}$');

ALTER TABLE orders
    ADD COLUMN expires_at timestamptz,
    -- What the buyer must pay. It stays as it was when the row was written.
    ADD COLUMN amount numeric(14, 2),
    ADD COLUMN currency text,
    DROP CONSTRAINT orders_status_check,
    ADD CONSTRAINT orders_status_check
        CHECK (status IN ('RESERVED', 'CONFIRMED', 'EXPIRED', 'CANCELLED')),
    DROP CONSTRAINT confirmed_orders_have_a_user,
    ADD CONSTRAINT who_holds_units_is_known
        CHECK (status IN ('EXPIRED', 'CANCELLED') OR user_id IS NOT NULL),
    ADD CONSTRAINT a_hold_has_an_end
        CHECK (
            status <> 'RESERVED'
            OR (expires_at IS NOT NULL AND amount IS NOT NULL AND currency IS NOT NULL)
        );

CREATE INDEX orders_due_idx ON orders (product_id, expires_at) WHERE status = 'RESERVED';

-- The last guard: an order never leaves EXPIRED or CANCELLED, whatever a statement says.
CREATE FUNCTION refuse_status_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'order % cannot become % from %', OLD.id, NEW.status, OLD.status
        USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_status_change';
END
$$;
CREATE TRIGGER orders_status_change BEFORE UPDATE OF status ON orders FOR EACH ROW
    WHEN (
        OLD.status <> NEW.status
        AND (OLD.status, NEW.status) NOT IN (
            ('RESERVED', 'CONFIRMED'), ('RESERVED', 'EXPIRED'), ('RESERVED', 'CANCELLED'),
            ('CONFIRMED', 'CANCELLED')
        )
    )
    EXECUTE FUNCTION refuse_status_change();

CREATE TABLE payments (
    -- The provider's id. So the message of a payment that comes twice is one row.
    id          text PRIMARY KEY,
    -- No foreign key, because a payment may be here before its order.
    order_id    text NOT NULL,
    amount      numeric(14, 2) NOT NULL,
    currency    text NOT NULL,
    decision    text NOT NULL CHECK (decision IN ('WAITING', 'APPLIED', 'REFUND_DUE', 'REFUNDED')),
    -- Why it is to be refunded.
    why         text,
    received_at timestamptz NOT NULL DEFAULT now(),
    decided_at  timestamptz
);
CREATE UNIQUE INDEX an_order_is_paid_once ON payments (order_id) WHERE decision = 'APPLIED';
CREATE INDEX payments_todo_idx ON payments (received_at)
    WHERE decision IN ('WAITING', 'REFUND_DUE');
CREATE INDEX payments_order_idx ON payments (order_id);
