-- The tombstone of an order that could not be written: after it, a late message of the same order
-- changes nothing. An order that exists already is left as it is. An unknown user becomes null.
-- Parameters: id, user_id, product_id, quantity, generation, reason.
INSERT INTO orders (id, user_id, product_id, quantity, status, generation, reason)
VALUES (
    %(id)s, (SELECT u.id FROM users AS u WHERE u.id = %(user_id)s), %(product_id)s,
    %(quantity)s, 'CANCELLED', %(generation)s, %(reason)s
)
ON CONFLICT (id) DO NOTHING
