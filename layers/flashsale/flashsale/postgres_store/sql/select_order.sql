-- Read the row of one order by its primary key. Parameters: id.
SELECT
    id, product_id, user_id, quantity, generation, status, reason, created_at,
    returned_at IS NOT NULL AS returned, expires_at, amount, currency
FROM orders
WHERE id = %(id)s
