-- Save how many had joined when a room was drawn; return the number that counts, which is the first.
-- Parameters: product_id, epoch, drawn.
UPDATE rooms
SET drawn = coalesce(drawn, %(drawn)s)
WHERE product_id = %(product_id)s AND epoch = %(epoch)s
RETURNING drawn
