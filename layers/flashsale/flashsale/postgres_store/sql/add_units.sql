-- More units of a product than it began with. No row comes back if there is no such product, or if
-- they were more than the column can count. Parameters: id, units.
UPDATE products
SET
    initial_stock = initial_stock + %(units)s, stock = stock + %(units)s, updated_at = now()
WHERE id = %(id)s AND greatest(initial_stock, stock) <= 2147483647 - %(units)s
RETURNING id
