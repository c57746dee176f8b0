-- Write one CONFIRMED order while its buyer waits (V1 to V3).
-- Parameters: id, user_id, product_id, quantity, generation.
INSERT INTO orders (id, user_id, product_id, quantity, status, generation)
VALUES (%(id)s, %(user_id)s, %(product_id)s, %(quantity)s, 'CONFIRMED', %(generation)s)
RETURNING
    id, product_id, user_id, quantity, generation, status, reason, created_at,
    returned_at IS NOT NULL AS returned
