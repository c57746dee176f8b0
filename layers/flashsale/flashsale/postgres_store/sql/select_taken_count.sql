-- Count the payments that were written within some seconds, `at_most` of them.
-- Parameters: seconds, at_most.
SELECT count(*)
FROM (
    SELECT
    FROM payments
    WHERE received_at > now() - %(seconds)s * interval '1 second'
    LIMIT %(at_most)s
) AS taken
