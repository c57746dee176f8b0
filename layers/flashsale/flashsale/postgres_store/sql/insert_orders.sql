-- Write a batch of orders, all CONFIRMED at first. Existing orders stay unchanged, and orders of
-- unknown users or products are left out. It returns the ids of the new rows.
-- Rows are sorted, so that two batches with the same ids cannot deadlock.
-- Parameters, arrays of one length: ids, user_ids, product_ids, quantities, generations.
INSERT INTO orders (id, user_id, product_id, quantity, status, generation)
SELECT o.id, o.user_id, o.product_id, o.quantity, 'CONFIRMED', o.generation
FROM unnest(
    %(ids)s::text[], %(user_ids)s::text[], %(product_ids)s::text[],
    %(quantities)s::integer[], %(generations)s::smallint[]
) AS o (id, user_id, product_id, quantity, generation)
JOIN users AS u ON u.id = o.user_id
JOIN products AS p ON p.id = o.product_id
ORDER BY o.id
ON CONFLICT (id) DO NOTHING
RETURNING id
