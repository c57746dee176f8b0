-- Read for how many seconds the oldest RESERVED order has been due to expire; 0 if none is due.
-- One probe of an index for each product. Parameters: grace.
SELECT
    greatest(
        coalesce(extract(epoch FROM now() - min(oldest.expires_at)), 0) - %(grace)s, 0
    )::float AS seconds
FROM products AS p
CROSS JOIN LATERAL (
    SELECT o.expires_at
    FROM orders AS o
    WHERE o.product_id = p.id AND o.status = 'RESERVED'
    ORDER BY o.expires_at
    LIMIT 1
) AS oldest
