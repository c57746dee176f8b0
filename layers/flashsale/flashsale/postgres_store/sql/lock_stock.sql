-- Read the stock of a product, and lock it until this transaction ends.
-- Parameters: id.
SELECT stock FROM products WHERE id = %(id)s FOR UPDATE
