-- What there is of a product to sell, all at one instant: units that it began with or got since,
-- units left, units in confirmed orders, and the orders that were cancelled after they were
-- confirmed, whose units the stock has back. Parameters: id.
SELECT
    p.id AS product_id, p.initial_stock AS initial, p.stock,
    (
        SELECT coalesce(sum(o.quantity), 0)::bigint
        FROM orders AS o
        WHERE o.product_id = p.id AND o.status = 'CONFIRMED'
    ) AS confirmed,
    ARRAY(
        SELECT o.id FROM orders AS o WHERE o.product_id = p.id AND o.returned_at IS NOT NULL
    ) AS returned
FROM products AS p
WHERE p.id = %(id)s
