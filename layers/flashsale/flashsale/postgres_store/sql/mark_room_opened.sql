-- Record that a sale was opened with this room. The first time stays.
-- Parameters: product_id, epoch.
UPDATE rooms
SET opened_at = coalesce(opened_at, now())
WHERE product_id = %(product_id)s AND epoch = %(epoch)s
