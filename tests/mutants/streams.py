"""Faults of live streams."""

from tests.mutants.planted import TESTS, Fault

EDGE = "infra/flashsale_server/edge"
MANY = f"{TESTS}/streams/test_many_streams.py"
ORDERS = f"{TESTS}/streams/test_order_streams.py"
DOWN = f"{TESTS}/streams/test_stores_down.py"

FAULTS = (
    Fault(
        "the order of another buyer has no stream",
        f"{EDGE}/events.py",
        "v5_state(services, order_id, buyer)",
        "v5_state(services, order_id, None)",
        (f"{ORDERS}::test_the_order_of_another_buyer_is_unknown",),
    ),
    Fault(
        "a stream lives no longer than its token",
        f"{EDGE}/listeners.py",
        "elif now >= self._until:",
        "elif False:",
        (f"{ORDERS}::test_a_stream_ends_when_its_token_does",),
    ),
    Fault(
        "a newer stream of a user replaces the older one",
        f"{EDGE}/hub.py",
        "older.end(NEWER)",
        "pass",
        (f"{ORDERS}::test_the_newest_stream_of_a_user_wins",),
    ),
    Fault(
        "the last state of an order ends its stream",
        f"{EDGE}/topics.py",
        "self.final = self.status in FINAL",
        "self.final = False",
        (
            f"{ORDERS}::test_each_last_state_ends_the_stream",
            f"{ORDERS}::test_a_final_order_is_told_and_ends_at_once",
        ),
    ),
    Fault(
        "all listeners of a sale are one look at Redis",
        f"{EDGE}/hub.py",
        "self._look_at_sale(one) for one in self._sales.values()",
        "self._look_at_sale(topic) for one in self._listeners for topic in one.topics",
        (f"{MANY}::test_redis_has_no_more_to_do_for_more_listeners",),
    ),
    Fault(
        "all orders that are followed are one statement",
        f"{EDGE}/hub.py",
        "rows = await self._services.orders.get_all([one.order_id for one in watched])",
        "rows = [row for one in watched "
        "for row in await self._services.orders.get_all([one.order_id])]",
        (f"{MANY}::test_a_tick_is_one_statement_however_many_orders",),
    ),
    Fault(
        "the limit of an address is its own",
        f"{EDGE}/hub.py",
        "self._addresses[address] >= MOST_OF_ADDRESS",
        "len(self._listeners) >= MOST_OF_ADDRESS",
        (f"{MANY}::test_an_address_has_a_hundred_streams_and_others_go_on",),
    ),
    Fault(
        "a stream that does not begin takes no place",
        f"{EDGE}/hub.py",
        "self._addresses[listener.address] -= 1",
        "self._addresses[listener.address] -= 0",
        (f"{DOWN}::test_streams_that_did_not_begin_take_no_places",),
    ),
    Fault(
        "a client that does not read is dropped",
        f"{EDGE}/listeners.py",
        "now - self._writing_since >= WRITE_TIME",
        "False",
        (f"{MANY}::test_a_client_that_stops_reading_is_dropped",),
    ),
    Fault(
        "streams end when the server stops",
        f"{EDGE}/hub.py",
        "listener.end(RESTART)\n            self._tasks",
        "pass\n            self._tasks",
        (f"{MANY}::test_a_thousand_streams_end_when_the_server_stops",),
    ),
    Fault(
        "a server stops in time though clients do not read",
        f"{EDGE}/hub.py",
        "self._tasks.append(asyncio.create_task(self._hang_up_late()))",
        "pass",
        (f"{MANY}::test_a_worker_stops_in_time_though_clients_do_not_read",),
    ),
    Fault(
        "listeners are told that Redis is down",
        f"{EDGE}/hub.py",
        "            topic.fail()\n        await topic.tell()",
        "            pass\n        await topic.tell()",
        (f"{DOWN}::test_a_sale_outlives_an_outage_of_redis",),
    ),
)
