-- Restock a product. It returns no row if there is no such product, or if the sum exceeds the
-- column's range. Parameters: id, units.
UPDATE products
SET
    initial_stock = initial_stock + %(units)s, stock = stock + %(units)s, updated_at = now()
WHERE id = %(id)s AND greatest(initial_stock, stock) <= 2147483647 - %(units)s
RETURNING id
