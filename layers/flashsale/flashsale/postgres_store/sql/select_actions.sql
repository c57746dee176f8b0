-- Read the newest actions of admins, newest first. Parameters: limit.
SELECT
    id, who, action, target, arguments, outcome, idempotency_key, correlation_id, begun_at, ended_at
FROM admin_actions
ORDER BY begun_at DESC, id DESC
LIMIT %(limit)s
