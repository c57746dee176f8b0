-- How one order stands. Parameters: id.
SELECT user_id, quantity, status, reason, created_at FROM orders WHERE id = %(id)s
