-- Take units from a product if that many are left: the last guard against overselling.
-- It returns no row if fewer are left. Parameters: id, quantity.
UPDATE products
SET stock = stock - %(quantity)s, updated_at = now()
WHERE id = %(id)s AND stock >= %(quantity)s
RETURNING id, name, price, currency, initial_stock, stock, created_at, updated_at
