-- Note the payment that the buyer of a RESERVED order began. It returns no row if the order is not
-- RESERVED any more. Parameters: id, attempt_id.
UPDATE orders
SET attempt_id = %(attempt_id)s
WHERE id = %(id)s AND status = 'RESERVED'
RETURNING id
