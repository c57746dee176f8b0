-- Read all products, oldest first. There are few. No parameters.
SELECT id, name, price, currency, initial_stock, stock, created_at, updated_at
FROM products
ORDER BY created_at, id
