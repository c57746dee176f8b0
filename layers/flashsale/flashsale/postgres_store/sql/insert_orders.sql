-- Write a batch of orders, all CONFIRMED, and take their units from the stock if `take_units` is
-- true. Existing orders stay unchanged, and orders of unknown users or products are left out. It
-- returns the ids of the new rows. If there are too few units of a product, it violates
-- `products_stock_check` and does nothing.
-- Orders and products are locked one after another, sorted, so that two batches cannot deadlock.
-- Nobody cancels this statement, so it waits 4 s for a lock: less than the caller waits for it.
-- Parameters, arrays of one length: ids, user_ids, product_ids, quantities, generations; and
-- take_units.
WITH limits AS MATERIALIZED (
    SELECT set_config('lock_timeout', '4s', true)
),
new AS (
    INSERT INTO orders (id, user_id, product_id, quantity, status, generation)
    SELECT o.id, o.user_id, o.product_id, o.quantity, 'CONFIRMED', o.generation
    FROM limits, unnest(
        %(ids)s::text[], %(user_ids)s::text[], %(product_ids)s::text[],
        %(quantities)s::integer[], %(generations)s::smallint[]
    ) AS o (id, user_id, product_id, quantity, generation)
    JOIN users AS u ON u.id = o.user_id
    JOIN products AS p ON p.id = o.product_id
    ORDER BY o.id
    ON CONFLICT (id) DO NOTHING
    RETURNING id, product_id, quantity
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
SELECT id FROM new
