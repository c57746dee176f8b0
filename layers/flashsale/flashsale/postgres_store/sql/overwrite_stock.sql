-- V1's mistake: write back a stock that was computed outside the database.
-- Whatever others sold between the read and this write is forgotten. Parameters: id, stock.
UPDATE products
SET stock = %(stock)s, updated_at = now()
WHERE id = %(id)s
RETURNING id, name, price, initial_stock, stock, created_at, updated_at
