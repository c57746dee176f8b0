-- Read what the buyer of one order must pay, and the seconds until its hold ends.
-- The time to pay is null for an order without a hold. Parameters: id.
SELECT
    id, user_id, status, amount, currency, expires_at,
    extract(epoch FROM expires_at - now())::float AS seconds_left
FROM orders
WHERE id = %(id)s
