-- Expire RESERVED orders of a product whose hold ended more than `grace` seconds ago, oldest first,
-- and give their units back to the stock. An order with a payment that waits for a decision is left
-- out. So is one whose buyer began a payment that is not cancelled, for `patience` seconds, unless
-- the payment is one of `in_progress`.
-- It returns the expired orders. It waits half a second for the lock of the product, and fails then.
-- Parameters: product_id, grace, patience, in_progress (ids of payments), count.
WITH limits AS MATERIALIZED (
    SELECT set_config('lock_timeout', '500ms', true)
),
due AS (
    SELECT o.id
    FROM limits, orders AS o
    WHERE
        o.product_id = %(product_id)s AND o.status = 'RESERVED'
        AND o.expires_at <= now() - %(grace)s * interval '1 second'
        AND (
            o.attempt_id IS NULL OR o.attempt_id = ANY(%(in_progress)s::text[])
            OR o.expires_at <= now() - %(patience)s * interval '1 second'
        )
        AND NOT EXISTS (
            SELECT FROM payments AS y WHERE y.order_id = o.id AND y.decision = 'WAITING'
        )
    ORDER BY o.expires_at
    LIMIT %(count)s
    FOR UPDATE OF o SKIP LOCKED
),
expired AS (
    UPDATE orders AS o
    SET status = 'EXPIRED', reason = 'not paid in time'
    FROM due
    WHERE o.id = due.id
    RETURNING o.id, o.user_id, o.product_id, o.quantity, o.generation
),
back AS (
    UPDATE products
    SET stock = stock + (SELECT sum(quantity) FROM expired), updated_at = now()
    WHERE id = %(product_id)s AND EXISTS (SELECT FROM expired)
)
SELECT id, user_id, product_id, quantity, generation FROM expired
