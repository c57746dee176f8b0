-- Read the action of an admin by its Idempotency-Key. Parameters: who, key.
SELECT id, action, target, arguments, outcome
FROM admin_actions
WHERE who = %(who)s AND idempotency_key = %(key)s
