-- How one order stands. Parameters: id.
SELECT user_id, status, reason, created_at FROM orders WHERE id = %(id)s
