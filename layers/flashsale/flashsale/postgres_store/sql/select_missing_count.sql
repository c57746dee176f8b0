-- Count those of these orders that have no row. Parameters: ids.
SELECT count(*) AS count
FROM unnest(%(ids)s::text[]) AS wanted (id)
WHERE NOT EXISTS (SELECT FROM orders AS o WHERE o.id = wanted.id)
