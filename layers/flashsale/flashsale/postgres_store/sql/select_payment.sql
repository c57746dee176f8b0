-- Read a payment, and the order that it was applied to; the order's columns are null for others.
-- Parameters: id.
SELECT
    y.id, y.order_id, y.amount, y.currency, y.decision, y.why,
    o.user_id, o.product_id, o.quantity, o.generation
FROM payments AS y
LEFT JOIN orders AS o ON o.id = y.order_id AND y.decision = 'APPLIED'
WHERE y.id = %(id)s
