-- How these orders stand: of each the row with its id, if that is the same order. The id of another
-- buyer's order, or of another number of units, is left out. The row of a cancelled order has no
-- user where there is none. Parameters, arrays of one length: ids, user_ids, product_ids,
-- quantities, generations.
SELECT o.id, o.status
FROM unnest(
    %(ids)s::text[], %(user_ids)s::text[], %(product_ids)s::text[],
    %(quantities)s::integer[], %(generations)s::smallint[]
) AS w (id, user_id, product_id, quantity, generation)
JOIN orders AS o ON o.id = w.id
WHERE
    o.product_id = w.product_id AND o.quantity = w.quantity AND o.generation = w.generation
    AND (o.user_id = w.user_id OR o.user_id IS NULL)
