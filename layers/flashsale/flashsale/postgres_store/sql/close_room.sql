-- Record that a product is on sale without a room. Its rooms stay, so that no epoch comes twice.
-- Parameters: product_id.
UPDATE rooms
SET closed_at = now()
WHERE product_id = %(product_id)s AND closed_at IS NULL
