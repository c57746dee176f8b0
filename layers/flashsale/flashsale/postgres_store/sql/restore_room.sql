-- Take a room as Redis must get it after a loss, and return it: above the last arrival that was
-- saved, leave out as many numbers as may have been given since. If the draw is due and was not
-- saved, it includes them.
-- Parameters: product_id, epoch, margin (numbers to leave out, at least).
UPDATE rooms
SET
    issued = greatest(issued, coalesce(drawn, 0)) + greatest(%(margin)s, joins_a_minute),
    drawn = coalesce(
        drawn, CASE WHEN opens_at <= now() THEN issued + greatest(%(margin)s, joins_a_minute) END
    )
WHERE product_id = %(product_id)s AND epoch = %(epoch)s
RETURNING *
