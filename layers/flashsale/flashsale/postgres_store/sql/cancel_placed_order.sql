-- Cancel an order that has one of these statuses, and give its units back to the stock, once. Any
-- other order stays unchanged. Parameters: id, reason, statuses (CONFIRMED and RESERVED, which have
-- units).
WITH cancelled AS (
    UPDATE orders
    SET status = 'CANCELLED', reason = %(reason)s, returned_at = now()
    WHERE id = %(id)s AND status = ANY(%(statuses)s::text[])
    RETURNING product_id, quantity
)
UPDATE products AS p
SET stock = p.stock + c.quantity, updated_at = now()
FROM cancelled AS c
WHERE p.id = c.product_id
