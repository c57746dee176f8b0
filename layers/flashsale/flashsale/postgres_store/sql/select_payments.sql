-- Read payments, the newest first. Parameters, each null for no condition:
-- id, order_id, decision, limit.
SELECT id, order_id, amount, currency, decision, why, received_at, decided_at
FROM payments
WHERE
    (%(id)s::text IS NULL OR id = %(id)s)
    AND (%(order_id)s::text IS NULL OR order_id = %(order_id)s)
    AND (%(decision)s::text IS NULL OR decision = %(decision)s)
ORDER BY received_at DESC, id
LIMIT %(limit)s
