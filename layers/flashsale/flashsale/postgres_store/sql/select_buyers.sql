-- Units that each buyer of a product has in confirmed orders. Parameters: id.
SELECT user_id, sum(quantity)::bigint AS units
FROM orders
WHERE product_id = %(id)s AND status = 'CONFIRMED'
GROUP BY user_id
