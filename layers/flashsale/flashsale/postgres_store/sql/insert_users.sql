-- Register buyers by the user ids of their tokens. Existing users stay unchanged. Rows are sorted,
-- so that two batches with the same users cannot deadlock. Parameters: ids, an array.
INSERT INTO users (id, name)
SELECT DISTINCT u.id, u.id
FROM unnest(%(ids)s::text[]) AS u (id)
ORDER BY u.id
ON CONFLICT (id) DO NOTHING
