-- Read the units in CONFIRMED and RESERVED orders of a product, per buyer. Parameters: id.
SELECT user_id, sum(quantity)::bigint AS units
FROM orders
WHERE product_id = %(id)s AND status IN ('CONFIRMED', 'RESERVED')
GROUP BY user_id
