-- Save how far the room of a running sale is. Neither figure ever falls. Redis has opened the sale
-- with it, even if the opening was cut off before it recorded that.
-- Saves are 10 s apart. One that comes earlier, such as those of the draw, says nothing of a minute.
-- Parameters: product_id, epoch, serving, issued.
UPDATE rooms
SET
    serving = greatest(serving, %(serving)s),
    issued = greatest(issued, %(issued)s, serving, %(serving)s),
    joins_a_minute = least(
        greatest(
            greatest(0, %(issued)s - issued) * 60
            / greatest(10, extract(epoch FROM clock_timestamp() - saved_at)),
            CASE WHEN clock_timestamp() - saved_at < interval '5 s' THEN joins_a_minute ELSE 0 END
        ),
        2147483647
    ),
    saved_at = clock_timestamp(),
    opened_at = coalesce(opened_at, clock_timestamp())
WHERE product_id = %(product_id)s AND epoch = %(epoch)s
