-- Read one product. Parameters: id.
SELECT id, name, price, currency, initial_stock, stock, created_at, updated_at
FROM products
WHERE id = %(id)s
