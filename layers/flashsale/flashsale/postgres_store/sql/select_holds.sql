-- Read what became of these orders, and the time in ms since 1970. Orders without a row are left
-- out. Parameters: ids.
SELECT
    o.id, o.user_id, o.product_id, o.quantity, o.generation, o.status,
    (extract(epoch FROM o.expires_at) * 1000)::bigint AS held_until
FROM orders AS o
WHERE o.id = ANY(%(ids)s)
