"""The limits of stores and of other servers that tests raise, because a busy machine stalls."""

from collections.abc import Callable
from dataclasses import replace

from urllib3 import Timeout

from flashsale import services
from flashsale.http import in_time
from flashsale.postgres_store import database, orders
from flashsale.postgres_store.connection import WatchedConnection
from flashsale.provider import stripe
from flashsale.sqs_store import order_queue
from flashsale.usecases import admin, batch, health, room_looks
from flashsale_local.stack.program import Program

LONG = 60.0
# Seconds for the headers and the body of a request. Tests with slow clients wait for their end.
SLOW_CLIENT = 30
LIMITS = (
    (WatchedConnection, "silence"),
    (database, "BATCH_SILENCE"),
    (orders, "BATCH_SILENCE"),
    (in_time, "ANSWER_TIME"),
    (admin, "RECORD_TIME"),
    (batch, "REMEMBERING"),
    (health, "CHECK_TIME"),
    (health, "COUNT_TIME"),
    (order_queue, "SQS_TIMEOUT"),
    (room_looks, "SAVE_TIME"),
    (room_looks, "SAVE_TIME_IN_A_REQUEST"),
    (services, "REDIS_CONNECT_TIMEOUT"),
    (services, "REDIS_TIMEOUT"),
    (services, "SQS_CONNECT_TIMEOUT"),
)


def raise_limits(set_to: Callable[[object, str, object], None] = setattr) -> None:
    """Let a stall of some seconds be no outage.

    The wait for a connection to PostgreSQL stays short: it is the same while the server is down.
    """
    for owner, name in LIMITS:
        set_to(owner, name, LONG)
    set_to(in_time, "BODY_TIME", SLOW_CLIENT)
    set_to(order_queue, "PUSH_TIME", 3 * LONG)
    set_to(database, "LONG_STATEMENTS", dict.fromkeys(database.LONG_STATEMENTS, LONG))
    set_to(stripe, "TIMEOUT", Timeout(LONG))


def patient(edge: Program) -> Program:
    """Return an ASGI edge with these limits."""
    environment = {**edge.environment, "GRANIAN_HTTP1_HEADER_READ_TIMEOUT": f"{SLOW_CLIENT}000"}
    command = [*edge.command, "tests.helpers.patient_edge:app"]
    return replace(edge, command=command, environment=environment)
