-- Add a product. It returns no row if a product with this id or this name exists.
-- Parameters: id, name, price, currency, stock.
INSERT INTO products (id, name, price, currency, initial_stock, stock)
VALUES (%(id)s, %(name)s, %(price)s, %(currency)s, %(stock)s, %(stock)s)
ON CONFLICT DO NOTHING
RETURNING id
