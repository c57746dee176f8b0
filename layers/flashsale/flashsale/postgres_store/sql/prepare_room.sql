-- Return the room for the next opening of a sale. It is the newest one of the product if an earlier
-- attempt with these terms was cut off, or runs now, or if Redis has lost the sale. Otherwise write
-- a new one, with the next epoch. It returns no row if another opening has just written that epoch.
-- Parameters: product_id, after (an epoch that was in use, 0 for none), lost (Redis has no sale),
-- mode, from_at, opens_at (null for now), max_inside, max_rate (calls a minute), admission_seconds,
-- call_seconds, seed (hex).
WITH newest AS (
    SELECT coalesce(max(epoch), 0) AS epoch
    FROM rooms
    WHERE product_id = %(product_id)s
),
usable AS (
    SELECT r.*
    FROM rooms AS r
    JOIN newest USING (epoch)
    WHERE
        r.product_id = %(product_id)s
        AND r.epoch > %(after)s
        AND r.closed_at IS NULL
        AND (r.opened_at IS NULL OR %(lost)s)
        AND r.mode = %(mode)s
        AND r.from_at IS NOT DISTINCT FROM %(from_at)s::timestamptz
        AND r.max_inside = %(max_inside)s
        AND r.max_rate = %(max_rate)s
        AND r.admission_seconds = %(admission_seconds)s
        AND r.call_seconds = %(call_seconds)s
        AND (
            r.opens_at = %(opens_at)s::timestamptz
            OR (%(opens_at)s::timestamptz IS NULL AND r.opens_at <= now())
        )
),
new AS (
    INSERT INTO rooms (
        product_id, epoch, mode, from_at, opens_at, max_inside, max_rate, admission_seconds,
        call_seconds, seed
    )
    SELECT
        %(product_id)s, greatest(newest.epoch, %(after)s) + 1, %(mode)s, %(from_at)s,
        coalesce(%(opens_at)s, now()), %(max_inside)s, %(max_rate)s, %(admission_seconds)s,
        %(call_seconds)s, %(seed)s
    FROM newest
    WHERE NOT EXISTS (SELECT FROM usable)
    ON CONFLICT DO NOTHING
    RETURNING *
)
SELECT * FROM usable
UNION ALL
SELECT * FROM new
