-- Write orders that could not be confirmed as CANCELLED. Later messages of the same orders then
-- change nothing. Existing orders stay unchanged, and orders of unknown products are left out. An
-- unknown user becomes null. Rows are sorted, so that two batches with the same ids cannot
-- deadlock.
-- Parameters, arrays of one length: ids, user_ids, product_ids, quantities, generations, reasons.
INSERT INTO orders (id, user_id, product_id, quantity, status, generation, reason)
SELECT o.id, u.id, o.product_id, o.quantity, 'CANCELLED', o.generation, o.reason
FROM unnest(
    %(ids)s::text[], %(user_ids)s::text[], %(product_ids)s::text[],
    %(quantities)s::integer[], %(generations)s::smallint[], %(reasons)s::text[]
) AS o (id, user_id, product_id, quantity, generation, reason)
JOIN products AS p ON p.id = o.product_id
LEFT JOIN users AS u ON u.id = o.user_id
ORDER BY o.id
ON CONFLICT (id) DO NOTHING
