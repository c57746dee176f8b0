-- Read the stock of a product, and lock it until this transaction ends. A stronger lock would wait
-- for all batches that have inserted an order of this product, and they wait for this one.
-- Parameters: id.
SELECT stock FROM products WHERE id = %(id)s FOR NO KEY UPDATE
