-- A new product. No row comes back if there is one with this id or this name.
-- Parameters: id, name, price, stock.
INSERT INTO products (id, name, price, initial_stock, stock)
VALUES (%(id)s, %(name)s, %(price)s, %(stock)s, %(stock)s)
ON CONFLICT DO NOTHING
RETURNING id
