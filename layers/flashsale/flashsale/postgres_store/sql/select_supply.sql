-- Read what there is to sell of a product, at one instant:
-- initial: the initial units and all restocks;
-- stock: the units that are left;
-- confirmed: the units in CONFIRMED orders;
-- holds: of each RESERVED order id, units and held_until (ms since 1970);
-- returned: cancelled orders whose units are in the stock, and may be given back to Redis again:
--   those that were CONFIRMED or RESERVED (an admin may retry), and V4's (their message may come again);
-- generation: the highest generation of its orders;
-- last_entry: the largest ledger entry of its V5 orders, of those that Lua's numbers can compare;
-- hold_seconds: the time to pay an order; 0 without a payment hold.
-- Parameters: id.
SELECT
    p.id AS product_id, p.initial_stock AS initial, p.stock, p.hold_seconds,
    (
        SELECT coalesce(sum(o.quantity), 0)::bigint
        FROM orders AS o
        WHERE o.product_id = p.id AND o.status = 'CONFIRMED'
    ) AS confirmed,
    ARRAY(
        SELECT jsonb_build_array(
            o.id, o.quantity, (extract(epoch FROM o.expires_at) * 1000)::bigint
        )
        FROM orders AS o
        WHERE o.product_id = p.id AND o.status = 'RESERVED'
    ) AS holds,
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
