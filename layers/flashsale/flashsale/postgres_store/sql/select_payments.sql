-- Read payments, the newest first. Parameters, each null for no condition: id, decision, limit.
SELECT id, order_id, amount, currency, decision, why, received_at, decided_at
FROM payments
WHERE
    (%(id)s::text IS NULL OR id = %(id)s)
    AND (%(decision)s::text IS NULL OR decision = %(decision)s)
ORDER BY received_at DESC, id
LIMIT %(limit)s
