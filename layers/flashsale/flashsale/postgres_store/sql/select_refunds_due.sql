-- Read payments that are to be refunded and that the provider knows, in any order, so that those
-- which it does not refund keep no others back. Parameters: count.
SELECT id
FROM payments
WHERE decision = 'REFUND_DUE' AND starts_with(id, 'pi_')
ORDER BY random()
LIMIT %(count)s
