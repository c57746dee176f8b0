"""Faults of payment holds."""

from tests.mutants.planted import CODE, LUA, SQL, TESTS, Fault

STATE_MACHINE = (
    f"{TESTS}/test_v5_state_machine.py::test_the_books_balance_after_any_sequence_of_steps",
)

FAULTS = (
    Fault(
        "a paid hold is settled",
        f"{LUA}/settle.lua",
        "  elseif redis.call('ZREM', KEYS[3], ARGV[i] .. ' ' .. ARGV[i + 1]) == 1 then\n",
        "  elseif false then\n",
        STATE_MACHINE,
    ),
    Fault(
        "the units of a hold go back once",
        f"{LUA}/release_claim.lua",
        "closed = redis.call('ZREM', KEYS[6], hold, hold .. ' earlier') == 1",
        "closed = redis.call('ZREM', KEYS[6], hold, hold .. ' earlier') >= 0",
        STATE_MACHINE,
    ),
    Fault(
        "only a claim of the ledger is held",
        f"{LUA}/hold.lua",
        "if redis.call('XDEL', KEYS[1], ARGV[i]) == 1 then",
        "if redis.call('XDEL', KEYS[1], ARGV[i]) >= 0 then",
        STATE_MACHINE,
    ),
    Fault(
        "the units of an expired hold are on sale again in PostgreSQL, too",
        f"{SQL}/expire_orders.sql",
        "stock = stock + (SELECT sum(quantity) FROM expired)",
        "stock = stock",
        STATE_MACHINE,
    ),
    Fault(
        "a late payment does not revive an expired hold",
        f"{SQL}/confirm_paid_order.sql",
        "AND status = 'RESERVED'",
        "AND status IN ('RESERVED', 'EXPIRED')",
        STATE_MACHINE,
    ),
    Fault(
        "an order with a hold is paid once",
        f"{SQL}/confirm_paid_order.sql",
        "AND status = 'RESERVED'",
        "AND status IN ('RESERVED', 'CONFIRMED')",
        STATE_MACHINE,
    ),
    Fault(
        "a payment of a cancelled hold is refunded",
        f"{SQL}/cancel_placed_order.sql",
        "SET decision = 'REFUND_DUE', why = 'cancelled'",
        "SET why = 'cancelled'",
        STATE_MACHINE,
    ),
    Fault(
        "a reopened sale keeps its holds",
        f"{LUA}/open_sale.lua",
        "  held = held + tonumber(ARGV[i + 1])\n",
        "",
        STATE_MACHINE,
    ),
    Fault(
        "a hold of an earlier sale is paid without units of this one",
        f"{LUA}/settle.lua",
        "  redis.call('HINCRBY', KEYS[2], 'initial', -earlier)\n",
        "",
        STATE_MACHINE,
    ),
    Fault(
        "a buyer cancels no paid order",
        f"{CODE}/postgres_store/orders.py",
        "statuses = [OrderStatus.RESERVED.value]",
        "statuses = _WITH_UNITS",
        STATE_MACHINE,
    ),
    Fault(
        "the units of an order that its buyer cancelled are on sale",
        f"{CODE}/usecases/cancellation.py",
        "if row.status is OrderStatus.CANCELLED and row.reason == BUYERS_WISH:",
        "if False:",
        (f"{TESTS}/test_buyer_cancel.py::test_the_units_are_on_sale_again_at_once",),
    ),
    Fault(
        "a buyer who lost the answer to a cancel finishes it",
        f"{CODE}/usecases/cancellation.py",
        "    if row.status is OrderStatus.CANCELLED and row.reason == BUYERS_WISH:\n        await",
        "        await",
        (f"{TESTS}/test_buyer_cancel.py::test_redis_dies_and_the_buyer_tries_again",),
    ),
    Fault(
        "a buyer cancels their own orders only",
        f"{CODE}/usecases/cancellation.py",
        "if row is None or user_id not in (None, row.user_id):",
        "if row is None:",
        (f"{TESTS}/by_token/test_cancel.py::test_only_its_buyer_cancels_an_order",),
    ),
    Fault(
        "a hold is written before its sale opens",
        f"{CODE}/usecases/sales.py",
        "await services.products.set_hold(product_id, terms.hold_seconds)",
        "pass",
        (f"{TESTS}/test_admin_payments.py::test_the_hold_is_there_before_the_sale",),
    ),
    Fault(
        "a sale keeps its hold while it runs",
        f"{CODE}/usecases/sales.py",
        "if sale and sale.state in _KEEPS_ITS_HOLD:",
        "if False:",
        (f"{TESTS}/test_admin_payments.py::test_a_sale_keeps_its_hold",),
    ),
    Fault(
        "a refused opening changes no hold",
        f"{CODE}/usecases/sales.py",
        "if declined and holds_anew:",
        "if False:",
        (f"{TESTS}/test_admin_payments.py::test_an_undrained_sale_keeps_its_hold",),
    ),
    Fault(
        "only a payment that is due is refunded",
        f"{SQL}/mark_refunded.sql",
        " AND decision = 'REFUND_DUE'",
        "",
        (f"{TESTS}/test_admin_payments.py::test_only_a_payment_that_is_due_was_refunded",),
    ),
)
