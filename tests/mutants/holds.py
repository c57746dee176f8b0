"""Faults of payment holds."""

from tests.mutants.planted import CODE, LUA, SQL, TESTS, Fault

HOLDS = f"{TESTS}/test_payment_holds.py"
CASES = f"{TESTS}/test_hold_cases.py"
RACES = f"{TESTS}/test_hold_races.py"
LOSSES = f"{TESTS}/test_hold_ends.py"
STATE_MACHINE = (
    f"{TESTS}/test_v5_state_machine.py::test_the_books_balance_after_any_sequence_of_steps"
)

FAULTS = (
    Fault(
        "a paid hold is settled",
        f"{LUA}/settle.lua",
        "  elseif redis.call('ZREM', KEYS[3], ARGV[i] .. ' ' .. ARGV[i + 1]) == 1 then\n",
        "  elseif false then\n",
        (f"{HOLDS}::test_an_order_is_reserved_paid_and_confirmed", STATE_MACHINE),
    ),
    Fault(
        "the units of a hold go back once",
        f"{LUA}/release_claim.lua",
        "local was_held = redis.call('ZREM', KEYS[6], hold, hold .. ' earlier') == 1",
        "local was_held = redis.call('ZREM', KEYS[6], hold, hold .. ' earlier') >= 0",
        (f"{HOLDS}::test_a_hold_that_is_not_paid_expires_once", STATE_MACHINE),
    ),
    Fault(
        "only a claim of the ledger is held",
        f"{LUA}/hold.lua",
        "if redis.call('XDEL', KEYS[1], ARGV[i]) == 1 then",
        "if redis.call('XDEL', KEYS[1], ARGV[i]) >= 0 then",
        (
            f"{CASES}::test_a_call_of_the_hold_script_that_comes_an_hour_late_changes_nothing",
            STATE_MACHINE,
        ),
    ),
    Fault(
        "the units of an expired hold are on sale again in PostgreSQL, too",
        f"{SQL}/expire_orders.sql",
        "stock = stock + (SELECT sum(quantity) FROM expired)",
        "stock = stock",
        (f"{HOLDS}::test_a_hold_that_is_not_paid_expires_once", STATE_MACHINE),
    ),
    Fault(
        "Redis sells no unit of a hold that PostgreSQL has not ended",
        f"{CODE}/usecases/holds.py",
        "if expired := by_status[OrderStatus.EXPIRED]:",
        "if expired := by_status[OrderStatus.EXPIRED] + by_status[OrderStatus.RESERVED]:",
        (f"{CASES}::test_a_hold_stays_while_postgresql_has_not_ended_it",),
    ),
    Fault(
        "a late payment does not revive an expired hold",
        f"{SQL}/confirm_paid_order.sql",
        "AND status = 'RESERVED'",
        "AND status IN ('RESERVED', 'EXPIRED')",
        (f"{HOLDS}::test_money_that_buys_nothing_is_to_be_refunded",),
    ),
    Fault(
        "an order with a hold is paid once",
        f"{SQL}/confirm_paid_order.sql",
        "AND status = 'RESERVED'",
        "AND status IN ('RESERVED', 'CONFIRMED')",
        (
            f"{HOLDS}::test_money_that_buys_nothing_is_to_be_refunded",
            f"{RACES}::test_a_payment_waits_for_another_end_of_its_hold",
        ),
    ),
    Fault(
        "a payment of a cancelled hold is refunded",
        f"{SQL}/refund_cancelled_order.sql",
        "SET decision = 'REFUND_DUE', why = 'cancelled'",
        "SET why = 'cancelled'",
        (f"{HOLDS}::test_cancelling_a_paid_order_makes_a_refund_due",),
    ),
    Fault(
        "a payment that a cancellation has waited for is refunded",
        f"{CODE}/postgres_store/orders.py",
        '        await connection.execute(sql("refund_cancelled_order"), {"id": order_id})\n'
        "        cursor",
        "        cursor",
        (f"{RACES}::test_a_cancellation_that_waits_for_a_payment_refunds_it",),
    ),
    Fault(
        "the units of a cancelled hold go back as those of a paid order do",
        f"{SQL}/cancel_placed_order.sql",
        "returned_at = now()",
        "returned_at = CASE WHEN status = 'CONFIRMED' THEN now() END",
        (f"{HOLDS}::test_cancelling_a_reserved_order_gives_its_units_back_once",),
    ),
    Fault(
        "a reopened sale keeps its holds",
        f"{LUA}/open_sale.lua",
        "  held = held + tonumber(ARGV[i + 1])\n",
        "",
        (
            f"{HOLDS}::test_holds_outlive_their_sale",
            f"{LOSSES}::test_a_lost_sale_returns_with_its_holds",
        ),
    ),
    Fault(
        "a hold of an earlier sale is paid without units of this one",
        f"{LUA}/settle.lua",
        "  redis.call('HINCRBY', KEYS[2], 'initial', -earlier)\n",
        "",
        (f"{HOLDS}::test_holds_outlive_their_sale",),
    ),
    Fault(
        "a buyer cancels no paid order",
        f"{CODE}/postgres_store/orders.py",
        "statuses = [OrderStatus.RESERVED.value]",
        "statuses = _WITH_UNITS",
        (
            f"{TESTS}/test_hold_races.py::test_a_buyers_cancel_that_waits_for_a_payment_changes_nothing",
        ),
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
