"""Faults of payment holds."""

from tests.mutants.planted import LUA, SQL, TESTS, Fault

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
        "local was_held = redis.call('ZREM', KEYS[6], hold, hold .. ' earlier') == 1",
        "local was_held = redis.call('ZREM', KEYS[6], hold, hold .. ' earlier') >= 0",
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
        f"{SQL}/cancel_confirmed_order.sql",
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
)
