-- Write a payment that waits for its decision. It returns no row if the payment is known.
-- Parameters: id, order_id, amount, currency.
INSERT INTO payments (id, order_id, amount, currency, decision)
VALUES (%(id)s, %(order_id)s, %(amount)s, %(currency)s, 'WAITING')
ON CONFLICT (id) DO NOTHING
RETURNING id
