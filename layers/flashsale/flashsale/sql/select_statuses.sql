-- How these orders stand. Parameters: ids.
SELECT id, status FROM orders WHERE id = ANY(%(ids)s)
