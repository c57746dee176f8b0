-- Change what an admin may change of the room that guards a product; return its epoch, or no row.
-- Parameters: product_id, paused (null: as it is), max_rate (calls a minute; null: as it is).
UPDATE rooms AS r
SET
    paused = coalesce(%(paused)s, r.paused),
    max_rate = coalesce(%(max_rate)s, r.max_rate)
WHERE
    r.product_id = %(product_id)s AND r.closed_at IS NULL
    AND r.epoch = (
        SELECT max(o.epoch) FROM rooms AS o
        WHERE o.product_id = r.product_id AND o.opened_at IS NOT NULL
    )
RETURNING r.epoch
