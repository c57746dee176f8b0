-- One order, with what it takes to undo it. Parameters: id.
SELECT
    id, product_id, user_id, quantity, generation, status, reason,
    returned_at IS NOT NULL AS returned
FROM orders
WHERE id = %(id)s
