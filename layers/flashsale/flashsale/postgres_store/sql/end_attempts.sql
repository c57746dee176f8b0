-- Forget payments that are cancelled at the provider, or applied. Parameters: attempt_ids.
UPDATE orders
SET attempt_id = NULL
WHERE attempt_id IS NOT NULL AND attempt_id = ANY(%(attempt_ids)s) AND status <> 'CONFIRMED'
