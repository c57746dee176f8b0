-- Cancel an order that is CONFIRMED or RESERVED, and give its units back to the stock, once. Any
-- other order stays unchanged. Parameters: id, reason.
WITH cancelled AS (
    UPDATE orders
    SET status = 'CANCELLED', reason = %(reason)s, returned_at = now()
    WHERE id = %(id)s AND status IN ('CONFIRMED', 'RESERVED')
    RETURNING product_id, quantity
)
UPDATE products AS p
SET stock = p.stock + c.quantity, updated_at = now()
FROM cancelled AS c
WHERE p.id = c.product_id
