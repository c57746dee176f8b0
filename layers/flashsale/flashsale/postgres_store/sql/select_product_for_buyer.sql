-- Read one product, and whether a buyer exists (V1). Parameters: id, user_id.
SELECT id, name, price, currency, initial_stock, stock, created_at, updated_at,
       EXISTS (SELECT FROM users WHERE users.id = %(user_id)s) AS buyer_exists
FROM products
WHERE id = %(id)s
