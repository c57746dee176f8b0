-- Orders of this transaction that no longer fit into the stock. Parameters: ids, reason.
UPDATE orders
SET status = 'CANCELLED', reason = %(reason)s
WHERE id = ANY(%(ids)s)
