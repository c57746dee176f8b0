-- Record the outcome of an admin's action. Parameters: id, outcome.
UPDATE admin_actions
SET outcome = %(outcome)s, ended_at = clock_timestamp()
WHERE id = %(id)s
