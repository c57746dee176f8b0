-- The units left of a product, which nobody else can take until this transaction ends.
-- Parameters: id.
SELECT stock FROM products WHERE id = %(id)s FOR UPDATE
