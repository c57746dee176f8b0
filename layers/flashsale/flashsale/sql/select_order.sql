-- How one order stands. Parameters: id.
SELECT status, reason FROM orders WHERE id = %(id)s
