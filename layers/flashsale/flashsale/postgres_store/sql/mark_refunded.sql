-- Record that a payment was refunded. It returns no row unless the payment was to be refunded.
-- Parameters: id.
UPDATE payments
SET decision = 'REFUNDED', decided_at = now()
WHERE id = %(id)s AND decision = 'REFUND_DUE'
RETURNING id
