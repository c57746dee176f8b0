"""Faults that would cost money. Each breaks one guarantee and must make its tests fail."""

from dataclasses import dataclass

LUA = "lua"
SQL = "layers/flashsale/flashsale/postgres_store/sql"
CODE = "layers/flashsale/flashsale"
TESTS = "tests/integration"
V5 = f"{TESTS}/test_v5_scripts.py"
BATCH = f"{TESTS}/test_batch_writes.py"
CANCEL = f"{TESTS}/test_admin_cancel.py"
PAUSE = f"{TESTS}/test_pause_without_postgres.py"


@dataclass(frozen=True)
class Fault:
    """One change of one file.

    Attributes:
        breaks: the guarantee that no longer holds.
        file: path in the checkout.
        text: the text to replace, which occurs exactly once in the file.
        by: its replacement.
        tests: node ids that must all fail. One case of a parametrized test is enough.

    """

    breaks: str
    file: str
    text: str
    by: str
    tests: tuple[str, ...]


FAULTS = [
    Fault(
        "V5 claims no more than the stock",
        f"{LUA}/claim.lua", "if stock < quantity then", "if stock < 0 then",
        (f"{V5}::TestClaim::test_100_buyers_at_once_for_10_units",),
    ),
    Fault(
        "V3 and V4 take no more than the stock",
        f"{LUA}/decrement.lua", "if stock < tonumber(ARGV[1]) then", "if stock < 0 then",
        (f"{TESTS}/test_lua.py::TestDecrement::test_100_threads_for_10_units_make_exactly_10_winners",),
    ),
    Fault(
        "a buyer claims no more than the purchase limit",
        f"{LUA}/claim.lua", "or 0) + quantity > limit then", "or 0) > limit then",
        (f"{V5}::TestClaim::test_the_limit_holds_for_concurrent_claims_of_one_buyer",),
    ),
    Fault(
        "a buyer claims no more often than the rate limit",
        f"{LUA}/claim.lua", "if wait > 0 then", "if false then",
        (f"{TESTS}/by_token/test_rate_limits.py::test_a_user_may_claim_as_often_as_configured",),
    ),
    Fault(
        "the same idempotency key claims once",
        f"{LUA}/claim.lua", "if before then", "if false then",
        (f"{V5}::TestIdempotency::test_the_same_key_claims_once_even_concurrently",),
    ),
    Fault(
        "an idempotency key belongs to one request",
        f"{LUA}/bind_key.lua", "if bound and bound ~= ARGV[1] then", "if false then",
        (f"{V5}::TestIdempotency::test_the_same_key_with_another_request_is_rejected",),
    ),
    Fault(
        "the units of a V5 claim go back once, and not after it was settled",
        f"{LUA}/release_claim.lua",
        "if was_held or redis.call('XDEL', KEYS[2], entry) == 1 then",
        "if was_held or redis.call('XDEL', KEYS[2], entry) >= 0 then",
        (
            f"{V5}::TestSettleAndRelease::test_releasing_returns_units_once_even_concurrently",
            f"{V5}::TestSettleAndRelease::test_a_settled_claim_cannot_be_released",
        ),
    ),
    Fault(
        "a claim is settled once",
        f"{LUA}/settle.lua",
        "if redis.call('XDEL', KEYS[1], ARGV[i]) == 1 then",
        "if redis.call('XDEL', KEYS[1], ARGV[i]) >= 0 then",
        (f"{V5}::TestSettleAndRelease::test_settling_twice_counts_once",),
    ),
    Fault(
        "the units of a V4 order go back once",
        f"{LUA}/release.lua",
        "if redis.call('SADD', KEYS[2], ARGV[i]) == 1 then",
        "if redis.call('SADD', KEYS[2], ARGV[i]) >= 0 then",
        (f"{TESTS}/test_lua.py::TestRelease::test_returns_units_once",),
    ),
    Fault(
        "the units of a cancelled order go back to Redis once",
        f"{LUA}/give_back.lua",
        "if redis.call('SADD', KEYS[5], ARGV[1]) == 0 then",
        "if redis.call('SADD', KEYS[5], ARGV[1]) < 0 then",
        (f"{CANCEL}::test_cancelling_is_idempotent_even_concurrently",),
    ),
    Fault(
        "the units of a cancelled order go back to PostgreSQL once",
        f"{SQL}/cancel_placed_order.sql",
        "WHERE id = %(id)s AND status = ANY(%(statuses)s::text[])",
        "WHERE id = %(id)s",
        (f"{CANCEL}::test_cancelling_is_idempotent_even_concurrently",),
    ),
    Fault(
        "a leader keeps the lease while a claim is unsent",
        f"{LUA}/drop_lease.lua", "'COUNT', 1) > 0 then", "'COUNT', 1) > 1 then",
        (f"{TESTS}/test_v5_lease.py::TestLease::test_the_lease_is_kept_while_a_claim_is_unsent",),
    ),
    Fault(
        "a running sale keeps its stock when it is opened again",
        f"{LUA}/open_sale.lua",
        "if redis.call('EXISTS', KEYS[1]) == 1 then",
        "if redis.call('EXISTS', KEYS[1]) > 1 then",
        (f"{TESTS}/test_lua.py::TestOpenSale::test_refuses_to_overwrite_a_running_sale_even_if_sold_out",),
    ),
    Fault(
        "PostgreSQL gives away no unit that it does not have",
        f"{SQL}/take_units.sql", " AND stock >= %(quantity)s", "",
        (f"{TESTS}/test_generations.py::test_v2_sells_exactly_its_stock_under_concurrency",),
    ),
    Fault(
        "a batch confirms no order for whose units there is no stock",
        f"{SQL}/insert_orders.sql",
        "stock = p.stock - w.quantity",
        "stock = greatest(p.stock - w.quantity, 0)",
        (
            f"{TESTS}/test_order_function.py::TestPlaceOrders::test_an_order_that_no_longer_fits_is_cancelled_and_released_once",
            f"{BATCH}::test_two_products_of_which_one_has_too_few_units",
        ),
    ),
    Fault(
        "two batches lock products in one sequence",
        f"{SQL}/insert_orders.sql", "ORDER BY p.id", "ORDER BY p.id DESC",
        (f"{BATCH}::TestLocks::test_a_batch_that_waits_holds_nothing_that_comes_later",),
    ),
    Fault(
        "a batch that waits for a replica is not reported as done",
        f"{CODE}/postgres_store/connection.py", "if not self._committing:", "if True:",
        (f"{BATCH}::test_a_batch_that_waits_for_a_replica_is_not_reported_as_done",),
    ),
    Fault(
        "a cancelled order stays cancelled when its message comes late",
        f"{SQL}/insert_orders.sql",
        "ON CONFLICT (id) DO NOTHING",
        "ON CONFLICT (id) DO UPDATE SET status = 'CONFIRMED'",
        (f"{TESTS}/test_rollback_function.py::TestCompensate::test_a_late_order_cannot_claim_released_units",),
    ),
    Fault(
        "an order's id confirms nothing of another buyer",
        f"{SQL}/select_statuses.sql",
        "AND (o.user_id = w.user_id OR o.user_id IS NULL)",
        "",
        (f"{TESTS}/test_order_ids.py::test_another_buyers_order_confirms_no_claim",),
    ),
    Fault(
        "a message that is no order fails, and reaches the dead letter queue",
        f"{CODE}/usecases/batch.py",
        "outcome.fail([message.id], str(error))",
        "outcome.done.add(message.id)",
        (f"{TESTS}/test_order_function.py::TestPlaceOrders::test_only_an_invalid_message_is_reported",),
    ),
    Fault(
        "without PostgreSQL every message comes again",
        f"{CODE}/usecases/batch.py",
        "outcome.fail(outcome.orders, str(error))",
        "outcome.done.update(outcome.orders)",
        (f"{TESTS}/test_order_function.py::TestPlaceOrders::test_without_postgres_every_message_is_retried",),
    ),
    Fault(
        "an order that is CONFIRMED keeps its units",
        f"{CODE}/usecases/batch.py",
        "elif status in (OrderStatus.CANCELLED, OrderStatus.EXPIRED):",
        "elif status:",
        (f"{TESTS}/test_rollback_function.py::TestCompensate::test_a_confirmed_order_is_not_changed",),
    ),
    Fault(
        "V4 gives nothing back while SQS may have the order",
        f"{CODE}/generations/v4.py",
        "except (PushRefused, MessageRefused):",
        "except Exception:",
        (f"{TESTS}/troubles/test_refusals.py::test_an_answer_of_sqs_to_a_push",),
    ),
    Fault(
        "a refusal after a timeout leaves it open whether SQS has the order",
        f"{CODE}/sqs_store/shared_calls.py",
        "push.uncertain is None and certainly_refused(error)",
        "certainly_refused(error)",
        ("tests/unit/test_order_queue.py::test_a_rejection_after_a_timeout_is_still_uncertain",),
    ),
    Fault(
        "a claim that SQS refuses is sent again",
        f"{CODE}/usecases/relay.py",
        "return SendResult.REFUSED if isinstance(error, PushRefused) else SendResult.UNKNOWN",
        "return SendResult.ACCEPTED",
        (f"{TESTS}/test_v5_pipeline.py::test_what_sqs_refuses_is_sent_again_by_its_leader",),
    ),
    Fault(
        "a pause without PostgreSQL leaves a record in the same step",
        f"{LUA}/pause_sale.lua", "if ARGV[3] and code >= 0 then", "if false then",
        (f"{PAUSE}::test_it_stops_claims_at_once_and_loses_no_unit",),
    ),
    Fault(
        "the record of a pause leaves Redis only when the audit has it",
        f"{CODE}/usecases/pauses.py",
        "        await services.audit.record_late(pause)\n"
        "        await services.unrecorded_pauses.drop(pause)\n",
        "        await services.unrecorded_pauses.drop(pause)\n"
        "        await services.audit.record_late(pause)\n",
        (f"{PAUSE}::test_a_death_while_the_audit_is_completed",),
    ),
    Fault(
        "the audit has a late pause once, and ends the row that was begun for it",
        f"{SQL}/insert_late_pause.sql", "SET outcome = 'done', ", "SET ",
        (f"{PAUSE}::test_a_row_that_was_begun_is_ended",),
    ),
    Fault(
        "a key of another action hides no pause",
        f"{SQL}/insert_late_pause.sql",
        "WHERE admin_actions.action = 'pause' AND admin_actions.target = excluded.target\n", "",
        (f"{PAUSE}::test_a_key_of_another_action_hides_no_pause",),
    ),
    Fault(
        "a pause goes on without PostgreSQL",
        f"{CODE}/usecases/admin.py",
        "    except (DatabaseUnavailable, TimeoutError):\n", "    except ZeroDivisionError:\n",
        (f"{PAUSE}::test_the_admin_api_answers_202",),
    ),
    Fault(
        "tokens of another issuer are refused",
        f"{CODE}/auth/tokens.py", "            issuer=trust.issuer,\n", "",
        ("tests/unit/test_tokens.py::test_an_invalid_claim_is_named",),
    ),
    Fault(
        "units that were sold twice show in the books",
        f"{CODE}/usecases/books.py",
        "return self.imbalance == 0 and not self.oversold",
        "return self.imbalance >= 0 and not self.oversold",
        ("tests/unit/test_books.py::test_units_in_no_place_are_lost",),
    ),
]  # fmt: skip
