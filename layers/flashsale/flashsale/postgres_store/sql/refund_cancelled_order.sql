-- Make the refund of a cancelled order due. It follows the cancellation in a statement of its own: a
-- payment that the cancellation waited for was committed after that statement began, so that
-- statement cannot see it. Parameters: id.
UPDATE payments AS y
SET decision = 'REFUND_DUE', why = 'cancelled', decided_at = now()
FROM orders AS o
WHERE
    o.id = y.order_id AND o.status = 'CANCELLED'
    AND y.order_id = %(id)s AND y.decision = 'APPLIED'
