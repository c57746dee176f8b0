-- Cancel orders of this transaction that do not fit into the stock. Parameters: ids, reason.
UPDATE orders
SET status = 'CANCELLED', reason = %(reason)s
WHERE id = ANY(%(ids)s)
