-- Read payments that nobody may make any more: those of RESERVED orders whose hold ended more than
-- `grace` seconds ago, and those of orders that are EXPIRED or CANCELLED, until an hour after the
-- hold. They come in any order, so that those which the provider does not cancel keep no others
-- back. Parameters: grace, count, and ids of products, or null for all products.
SELECT attempt_id
FROM orders
WHERE
    attempt_id IS NOT NULL AND status <> 'CONFIRMED'
    AND (%(ids)s::text[] IS NULL OR product_id = ANY(%(ids)s))
    AND CASE
        WHEN status = 'RESERVED' THEN expires_at <= now() - %(grace)s * interval '1 second'
        ELSE expires_at > now() - interval '1 hour'
    END
ORDER BY random()
LIMIT %(count)s
