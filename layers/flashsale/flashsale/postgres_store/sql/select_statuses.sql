-- Read status and held_until (ms since 1970) of these orders. A row counts only if it is the same order: an id whose row has
-- another buyer, product, quantity or generation is left out. The row of a cancelled order may have
-- no user. Parameters, arrays of one length: ids, user_ids, product_ids, quantities, generations.
SELECT o.id, o.status, (extract(epoch FROM o.expires_at) * 1000)::bigint AS held_until
FROM unnest(
    %(ids)s::text[], %(user_ids)s::text[], %(product_ids)s::text[],
    %(quantities)s::integer[], %(generations)s::smallint[]
) AS w (id, user_id, product_id, quantity, generation)
JOIN orders AS o ON o.id = w.id
WHERE
    o.product_id = w.product_id AND o.quantity = w.quantity AND o.generation = w.generation
    AND (o.user_id = w.user_id OR o.user_id IS NULL)
