-- Read whether PostgreSQL rejects writes, because it is a replica or was made read only.
-- No parameters.
SELECT current_setting('transaction_read_only')::boolean AS read_only
