"""X-Ray traces, where the template switches them on (`Tracing=Active`).

The X-Ray SDK adds the trace header of the sender to boto3's calls, and SQS carries it. So a V4
purchase and the batch that wrote its order are linked. A V5 message has the claims of many buyers,
but only the header of its sender. There the annotation `correlation_id` links the two.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flashsale.config import tracing_is_on
from flashsale.domain.messages import orders_of_message
from flashsale.errors import InvalidMessage

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

# X-Ray takes 1,000 characters in an annotation: some 27 ids.
LONGEST_ANNOTATION = 1000


def traced(env: Mapping[str, str], *, stores: bool = True) -> Callable[[Handler], Handler]:
    """Decorate a handler with Powertools' Tracer. Without tracing, return the handler as it is.

    Without tracing there is no X-Ray SDK to import: it is in a layer of its own.

    Args:
        stores: whether the function uses Redis and PostgreSQL, whose steps are to be traced.

    """
    if not tracing_is_on(env):
        return lambda handler: handler

    from aws_lambda_powertools import Tracer  # noqa: PLC0415 - see above

    tracer = Tracer()
    if stores:
        _trace_steps(tracer)

    def decorate(handler: Handler) -> Handler:
        def annotated(event: dict[str, Any], context: Any) -> dict[str, Any]:
            if ids := " ".join(dict.fromkeys(correlation_ids(event))):
                tracer.put_annotation("correlation_id", ids[:LONGEST_ANNOTATION])
            return handler(event, context)

        # `handler` may be an object without a name, such as Mangum.
        annotated.__name__ = getattr(handler, "__name__", "handler")
        decorated: Handler = tracer.capture_lambda_handler(annotated, capture_response=False)
        return decorated

    return decorate


def correlation_ids(event: Mapping[str, Any]) -> Iterator[str]:
    """Yield the correlation ids of a request, or of the orders in a batch of messages."""
    if request_id := event.get("requestContext", {}).get("requestId"):
        yield str(request_id)
    for record in event.get("Records", ()):
        try:
            yield from (o.correlation_id for o in orders_of_message(record["body"]))
        except InvalidMessage:
            continue  # the function itself reports it


def _trace_steps(tracer: Any) -> None:
    """Give each step of a purchase a subsegment.

    This replaces methods of the adapters, so that without tracing a step costs nothing more.
    """
    from flashsale.postgres_store.orders import Orders  # noqa: PLC0415
    from flashsale.redis_store.ledger import Ledger  # noqa: PLC0415
    from flashsale.redis_store.stock import Stock  # noqa: PLC0415

    steps: dict[type, tuple[str, ...]] = {
        Stock: ("decrement", "release"),
        Ledger: ("claim", "settle", "release"),
        Orders: (
            "insert_without_taking_units",
            "take_units_and_insert",
            "write_batch",
            "cancel_unless_confirmed",
        ),
    }
    for owner, names in steps.items():
        for name in names:
            step = tracer.capture_method(getattr(owner, name), capture_response=False)
            setattr(owner, name, step)
