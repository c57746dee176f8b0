-- Read payments that wait, and that can be decided: their order exists by now, or they have waited
-- for longer than `patience` seconds. The oldest come first. Parameters: patience, count.
SELECT y.id, y.order_id, y.amount, y.currency
FROM payments AS y
WHERE
    y.decision = 'WAITING'
    AND (
        EXISTS (SELECT FROM orders AS o WHERE o.id = y.order_id)
        OR y.received_at <= now() - %(patience)s * interval '1 second'
    )
ORDER BY y.received_at, y.id
LIMIT %(count)s
