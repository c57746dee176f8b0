-- Record a pause that took effect while PostgreSQL was down, or end the row that was begun for it.
-- It ends now, and began when it took effect. It returns no row if the admin used this key for
-- something else. Parameters: who, target, arguments (JSON), key, correlation_id, at.
INSERT INTO admin_actions (
    who, action, target, arguments, idempotency_key, correlation_id, outcome, begun_at, ended_at
)
VALUES (
    %(who)s, 'pause', %(target)s, %(arguments)s::jsonb, %(key)s, %(correlation_id)s, 'done',
    %(at)s, clock_timestamp()
)
ON CONFLICT (who, idempotency_key) DO UPDATE
SET outcome = 'done', ended_at = coalesce(admin_actions.ended_at, excluded.ended_at)
WHERE admin_actions.action = 'pause' AND admin_actions.target = excluded.target
RETURNING id
