-- Confirm a RESERVED order if this payment is what its buyer must pay. It waits for a process that
-- expires or cancels the order now, and then looks at it again. So exactly one of them wins.
-- It returns no row if nothing changed. Parameters: order_id, amount, currency.
UPDATE orders
SET status = 'CONFIRMED'
WHERE
    id = %(order_id)s AND status = 'RESERVED'
    AND amount = %(amount)s AND currency = %(currency)s
RETURNING id, user_id, product_id, quantity, generation
