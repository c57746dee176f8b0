"""Faults in what a process answers without Redis while a product is sold out."""

from tests.mutants.planted import CODE, TESTS, Fault

STORE = f"{CODE}/redis_store"
REFUSALS = f"{TESTS}/test_sold_out.py"
KEYS = f"{TESTS}/test_sold_out_keys.py"

FAULTS = [
    Fault(
        "units that return are for sale a moment later",
        f"{STORE}/sold_out.py",
        "return clocks.elapsed(seen[1], self._now()) < self._seconds",
        "return True",
        (f"{REFUSALS}::test_units_that_return_are_for_sale_200_ms_later",),
    ),
    Fault(
        "one unit of V5 is for sale while there are not two",
        f"{STORE}/ledger.py",
        "if answer[0] == Claiming.SOLD_OUT and claim.quantity == 1:",
        "if answer[0] == Claiming.SOLD_OUT:",
        (f"{REFUSALS}::test_more_units_than_are_left_are_not_sold_out_for_one",),
    ),
    Fault(
        "one unit of V3 and V4 is for sale while there are not two",
        f"{STORE}/stock.py",
        "if left == Decrement.SOLD_OUT and quantity == 1:",
        "if left == Decrement.SOLD_OUT:",
        (f"{REFUSALS}::test_more_units_than_are_left_are_not_sold_out_for_one",),
    ),
    Fault(
        "a buyer is not told that a product is sold out because another reached a limit",
        f"{STORE}/ledger.py",
        "if answer[0] == Claiming.SOLD_OUT and claim.quantity == 1:",
        "if is_refused(answer) and claim.quantity == 1:",
        (
            f"{REFUSALS}::test_the_purchase_limit_of_one_buyer_stops_no_other",
            f"{REFUSALS}::test_a_refusal_takes_no_token_and_a_rate_limit_is_not_kept",
            f"{REFUSALS}::test_a_paused_sale_sells_at_once_when_it_is_resumed",
        ),
    ),
    Fault(
        "a repeat of an accepted request gets its order while the product is sold out",
        f"{STORE}/ledger.py",
        "            if not bound:\n",
        "            if True:\n",
        (
            f"{KEYS}::test_a_repeat_gets_its_own_order",
            f"{KEYS}::test_a_repeat_gets_its_order_from_a_process_that_did_not_sell_it",
        ),
    ),
    Fault(
        "an idempotency key belongs to one request while the product is sold out",
        f"{STORE}/ledger.py",
        "            if not bound:\n",
        "            if bound != request:\n",
        (f"{KEYS}::test_the_key_of_another_request_is_rejected",),
    ),
]
