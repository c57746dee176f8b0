-- Write a batch of orders, and take their units from the stock if `take_units` is true. Orders of V5
-- are RESERVED where their product has a payment hold; all others are CONFIRMED. Existing orders
-- stay unchanged, and orders of unknown users or products are left out. It returns id, status and
-- held_until (ms since 1970) of the new rows. If there are too few units of a product, it violates
-- `products_stock_check` and does nothing.
-- Orders and products are locked one after another, sorted, so that two batches cannot deadlock.
-- Nobody cancels this statement, so it waits 4 s for a lock: less than the caller waits for it.
-- Parameters, arrays of one length: ids, user_ids, product_ids, quantities, generations; and
-- take_units.
WITH limits AS MATERIALIZED (
    SELECT set_config('lock_timeout', '4s', true)
),
new AS (
    INSERT INTO orders (
        id, user_id, product_id, quantity, status, generation, expires_at, amount, currency
    )
    SELECT
        o.id, o.user_id, o.product_id, o.quantity,
        CASE WHEN h.held THEN 'RESERVED' ELSE 'CONFIRMED' END, o.generation,
        CASE WHEN h.held THEN now() + p.hold_seconds * interval '1 second' END,
        CASE WHEN h.held THEN p.price * o.quantity END,
        CASE WHEN h.held THEN p.currency END
    FROM limits, unnest(
        %(ids)s::text[], %(user_ids)s::text[], %(product_ids)s::text[],
        %(quantities)s::integer[], %(generations)s::smallint[]
    ) AS o (id, user_id, product_id, quantity, generation)
    JOIN users AS u ON u.id = o.user_id
    JOIN products AS p ON p.id = o.product_id
    CROSS JOIN LATERAL (SELECT o.generation = 5 AND p.hold_seconds > 0 AS held) AS h
    ORDER BY o.id
    ON CONFLICT (id) DO NOTHING
    RETURNING id, product_id, quantity, status, expires_at
),
wanted AS (
    SELECT product_id, sum(quantity) AS quantity
    FROM new
    WHERE %(take_units)s::boolean
    GROUP BY product_id
),
locked AS (
    SELECT p.id
    FROM products AS p
    WHERE p.id IN (SELECT product_id FROM wanted)
    ORDER BY p.id
    FOR NO KEY UPDATE
),
taken AS (
    UPDATE products AS p
    SET stock = p.stock - w.quantity, updated_at = now()
    FROM locked AS l
    JOIN wanted AS w ON w.product_id = l.id
    WHERE p.id = l.id
)
SELECT id, status, (extract(epoch FROM expires_at) * 1000)::bigint AS held_until FROM new
