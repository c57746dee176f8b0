-- Write back a stock that was computed outside the database: the bug of V1. Units that were sold
-- between the read and this write are forgotten. Parameters: id, stock.
UPDATE products
SET stock = %(stock)s, updated_at = now()
WHERE id = %(id)s
RETURNING id, name, price, currency, initial_stock, stock, created_at, updated_at
