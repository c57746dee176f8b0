"""Faults of waiting rooms."""

from tests.mutants.planted import CODE, LUA, TESTS, Fault

QUEUE = f"{TESTS}/test_room_queue.py"
DOOR = f"{TESTS}/test_room_door.py"
RATE = f"{TESTS}/test_room_rate.py"
CLAIMS = f"{TESTS}/test_room_claims.py"
OPENINGS = f"{TESTS}/test_room_openings.py"
STATE_MACHINE = (
    f"{TESTS}/test_room_state_machine.py"
    "::test_a_room_keeps_its_promises_after_any_sequence_of_steps"
)

FAULTS = (
    Fault(
        "only who is inside a room claims",
        f"{LUA}/claim.lua",
        "if room and (not inside_until or ms >= tonumber(inside_until)) then",
        "if room and inside_until and ms >= tonumber(inside_until) then",
        (f"{CLAIMS}::test_who_is_not_inside_claims_nothing", STATE_MACHINE),
    ),
    Fault(
        "an admission to a room ends",
        f"{LUA}/claim.lua",
        "ms >= tonumber(inside_until)",
        "false",
        (f"{CLAIMS}::test_an_admission_ends_to_the_millisecond",),
    ),
    Fault(
        "one admission to a room is one purchase",
        f"{LUA}/claim.lua",
        "  call('ZREM', KEYS[6], ARGV[1])\n",
        "",
        (f"{CLAIMS}::test_one_admission_is_one_purchase", STATE_MACHINE),
    ),
    Fault(
        "no more are inside a room than may be",
        f"{LUA}/admit.lua",
        "math.min(tonumber(door[3]), math.ceil(1.5 * stock))",
        "math.ceil(1.5 * stock)",
        (f"{DOOR}::test_no_more_are_inside_than_may_be", STATE_MACHINE),
    ),
    Fault(
        "who is let into a room finds something to buy",
        f"{LUA}/admit.lua",
        "math.min(tonumber(door[3]), math.ceil(1.5 * stock))",
        "tonumber(door[3])",
        (f"{DOOR}::test_stock_that_falls_lets_nobody_else_in",),
    ),
    Fault(
        "one place of a room is let in once",
        f"{LUA}/admit.lua",
        "if place <= used or (called",
        "if (called",
        (f"{DOOR}::test_one_place_is_let_in_once", STATE_MACHINE),
    ),
    Fault(
        "a room lets in only those whom it has called",
        f"{LUA}/admit.lua",
        "if place >= serving then",
        "if false then",
        (f"{DOOR}::test_only_the_called_are_let_in", STATE_MACHINE),
    ),
    Fault(
        "a room calls nobody who has not joined",
        f"{LUA}/advance.lua",
        "math.min(tokens, free, waiting)",
        "math.min(tokens, free)",
        (f"{RATE}::test_nobody_is_called_who_has_not_joined", STATE_MACHINE),
    ),
    Fault(
        "a long pause of a room makes no burst",
        f"{LUA}/advance.lua",
        "carry + rate * passed / 1000, math.max(1, 2 * rate))",
        "carry + rate * passed / 1000, 100000)",
        (f"{RATE}::test_time_calls_and_a_long_pause_makes_no_burst",),
    ),
    Fault(
        "a room is slower while orders are late",
        f"{LUA}/advance.lua",
        "rate = math.max(math.min(0.5, max_rate), rate * 0.7)",
        "rate = math.min(max_rate, rate + 1)",
        (f"{RATE}::test_the_rate_falls_once_a_second_while_orders_are_late",),
    ),
    Fault(
        "a user has one number in a room",
        f"{LUA}/join.lua",
        "if number and not (ARGV[4] == 'again' and drawn and number == ticket) then",
        "if false then",
        (f"{QUEUE}::test_a_user_has_one_number_however_often_they_join", STATE_MACHINE),
    ),
    Fault(
        "nobody tries their luck twice before the draw of a room",
        f"{LUA}/join.lua",
        "ARGV[4] == 'again' and drawn and number == ticket",
        "ARGV[4] == 'again' and number == ticket",
        (f"{QUEUE}::test_a_lapsed_place_is_given_up_once",),
    ),
    Fault(
        "a ticket of another room is worth nothing",
        f"{LUA}/join.lua",
        "local ticket = ARGV[3] == epoch and tonumber(ARGV[2])",
        "local ticket = tonumber(ARGV[2])",
        (f"{QUEUE}::test_a_loss_of_redis_loses_no_place", STATE_MACHINE),
    ),
    Fault(
        "a loss of Redis takes nobody's place in a room",
        f"{LUA}/join.lua",
        "if not number and ticket and ticket < issued + 1000000 then",
        "if false then",
        (f"{QUEUE}::test_a_loss_of_redis_loses_no_place", STATE_MACHINE),
    ),
    Fault(
        "a rebuild calls nobody back into the queue of a room",
        f"{LUA}/open_sale.lua",
        "    serving = math.max(serving, tonumber(door[2]))\n",
        "",
        (f"{OPENINGS}::test_a_rebuild_without_a_loss_calls_nobody_back", STATE_MACHINE),
    ),
    Fault(
        "no generation goes round a room",
        f"{CODE}/redis_store/stock.py",
        "terms = replace(terms, room=room.terms)",
        "pass",
        (f"{OPENINGS}::test_no_generation_goes_round_the_room",),
    ),
)
