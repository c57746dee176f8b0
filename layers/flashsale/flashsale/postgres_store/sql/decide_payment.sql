-- Write the decision on a payment that waits. Parameters: id, decision, why.
UPDATE payments
SET decision = %(decision)s, why = %(why)s, decided_at = now()
WHERE id = %(id)s AND decision = 'WAITING'
