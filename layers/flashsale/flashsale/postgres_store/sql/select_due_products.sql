-- Read the products that have RESERVED orders whose hold ended more than `grace` seconds ago.
-- Parameters: grace, and ids, or null for all products.
SELECT p.id
FROM products AS p
WHERE
    (%(ids)s::text[] IS NULL OR p.id = ANY(%(ids)s))
    AND EXISTS (
        SELECT
        FROM orders AS o
        WHERE
            o.product_id = p.id AND o.status = 'RESERVED'
            AND o.expires_at <= now() - %(grace)s * interval '1 second'
    )
ORDER BY p.id
