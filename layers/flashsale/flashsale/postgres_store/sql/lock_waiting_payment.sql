-- Take a payment that waits, unless another process decides on it now. Parameters: id.
SELECT id
FROM payments
WHERE id = %(id)s AND decision = 'WAITING'
FOR UPDATE SKIP LOCKED
