-- Record an admin's action. It returns no row if the admin used this key before.
-- Parameters: who, action, target, arguments (JSON), key (null for none), correlation_id.
INSERT INTO admin_actions (who, action, target, arguments, idempotency_key, correlation_id)
VALUES (
    %(who)s, %(action)s, %(target)s, %(arguments)s::jsonb, %(key)s, %(correlation_id)s
)
ON CONFLICT (who, idempotency_key) DO NOTHING
RETURNING id
