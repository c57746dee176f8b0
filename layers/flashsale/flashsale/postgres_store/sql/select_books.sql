-- Read the books per product: the initial stock, the stock, and the units in orders.
-- Parameters: ids, or null for all products.
SELECT
    p.id, p.initial_stock, p.stock,
    coalesce(sum(o.quantity) FILTER (WHERE o.status = 'CONFIRMED'), 0)::bigint AS confirmed,
    coalesce(sum(o.quantity) FILTER (WHERE o.status = 'RESERVED'), 0)::bigint AS reserved,
    coalesce(sum(o.quantity) FILTER (WHERE o.status = 'EXPIRED'), 0)::bigint AS expired,
    coalesce(sum(o.quantity) FILTER (WHERE o.status = 'CANCELLED'), 0)::bigint AS cancelled,
    coalesce(array_agg(DISTINCT o.generation) FILTER (WHERE o.generation IS NOT NULL), '{}')
        AS generations
FROM products AS p
LEFT JOIN orders AS o ON o.product_id = p.id
WHERE %(ids)s::text[] IS NULL OR p.id = ANY(%(ids)s)
GROUP BY p.id
ORDER BY p.created_at, p.id
