-- The payment that a buyer began at the provider, so that it can be cancelled when its hold ends.

-- The provider's id. It stays in an order that is paid, and becomes null when it is cancelled.
ALTER TABLE orders ADD COLUMN attempt_id text;

CREATE INDEX orders_attempts_idx ON orders (attempt_id)
    WHERE attempt_id IS NOT NULL AND status <> 'CONFIRMED';
