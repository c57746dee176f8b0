-- What there is of a product to sell, all at one instant: units that it began with or got since,
-- units left, units in confirmed orders, and the cancelled orders whose units the stock counts and
-- somebody may give back to Redis once more: those that were confirmed (an admin repeats himself),
-- and those of V4 (their message comes again). Then the highest generation of its orders, and the
-- largest ledger entry among those of V5, without entries that Lua's numbers cannot compare.
-- Parameters: id.
SELECT
    p.id AS product_id, p.initial_stock AS initial, p.stock,
    (
        SELECT coalesce(sum(o.quantity), 0)::bigint
        FROM orders AS o
        WHERE o.product_id = p.id AND o.status = 'CONFIRMED'
    ) AS confirmed,
    ARRAY(
        SELECT o.id FROM orders AS o
        WHERE
            o.product_id = p.id AND o.status = 'CANCELLED'
            AND (o.returned_at IS NOT NULL OR o.generation = 4)
    ) AS returned,
    (SELECT max(o.generation) FROM orders AS o WHERE o.product_id = p.id) AS generation,
    (
        SELECT
            array_to_string(
                max(
                    string_to_array(substring(o.id FROM ':([0-9]{1,15}-[0-9]{1,15})$'), '-')
                    ::bigint[]
                ), '-'
            )
        FROM orders AS o
        WHERE o.product_id = p.id AND o.generation = 5
    ) AS last_entry
FROM products AS p
WHERE p.id = %(id)s
