-- Return a row if there is a product that was made in this way.
-- Parameters: id, name, price, currency, stock.
SELECT id
FROM products
WHERE
    id = %(id)s AND name = %(name)s AND price = %(price)s AND currency = %(currency)s
    AND initial_stock = %(stock)s
