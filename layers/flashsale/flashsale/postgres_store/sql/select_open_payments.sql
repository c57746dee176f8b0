-- Count the payments that wait or are to be refunded, by decision and reason, with the seconds for
-- which the oldest has been so. It reads the index of these payments only. Parameters: none.
SELECT
    y.decision, coalesce(y.why, '') AS why, count(*) AS count,
    extract(epoch FROM now() - min(coalesce(y.decided_at, y.received_at)))::float AS oldest
FROM payments AS y
WHERE y.decision IN ('WAITING', 'REFUND_DUE')
GROUP BY y.decision, coalesce(y.why, '')
