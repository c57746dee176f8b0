-- Read the room of an epoch, or without one the room that guards the product: the last that a sale
-- was opened with, unless the product was put on sale without a room since.
-- Parameters: product_id, epoch (null: the one that guards it).
SELECT r.*
FROM rooms AS r
WHERE
    r.product_id = %(product_id)s
    AND (
        r.epoch = %(epoch)s::integer
        OR (
            %(epoch)s::integer IS NULL AND r.closed_at IS NULL
            AND r.epoch = (
                SELECT max(o.epoch) FROM rooms AS o
                WHERE o.product_id = r.product_id AND o.opened_at IS NOT NULL
            )
        )
    )
