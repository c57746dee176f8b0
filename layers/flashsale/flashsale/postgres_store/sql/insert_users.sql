-- Register buyers by the user ids of their tokens. Existing users stay unchanged. Rows are sorted,
-- so that two batches with the same users cannot deadlock. Nobody cancels this statement, so it
-- waits 4 s for a lock, like `insert_orders`. Parameters: ids, an array.
WITH limits AS MATERIALIZED (
    SELECT set_config('lock_timeout', '4s', true)
)
INSERT INTO users (id, name)
SELECT DISTINCT u.id, u.id
FROM limits, unnest(%(ids)s::text[]) AS u (id)
ORDER BY u.id
ON CONFLICT (id) DO NOTHING
