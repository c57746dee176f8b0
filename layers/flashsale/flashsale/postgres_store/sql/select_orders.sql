-- Read the rows of many orders by their primary keys. Parameters: ids.
SELECT
    id, product_id, user_id, quantity, generation, status, reason, created_at,
    returned_at IS NOT NULL AS returned, expires_at, amount, currency
FROM orders
WHERE id = ANY(%(ids)s::text[])
