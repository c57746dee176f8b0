-- All products, oldest first; a sale has few.
SELECT id, name, price, initial_stock, stock, created_at, updated_at
FROM products
ORDER BY created_at, id
