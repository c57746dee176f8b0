"""X-Ray traces, where the template switches them on (`Tracing=Active`)."""

from collections.abc import Callable, Mapping
from typing import Any

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def traced(env: Mapping[str, str]) -> Callable[[Handler], Handler]:
    """Decorate a handler with Powertools' Tracer; where tracing is off, with nothing at all.

    Off, the X-Ray SDK is not even there: it is a layer of its own, with the boto3 that it needs.
    """
    if env.get("POWERTOOLS_TRACE_DISABLED", "true") == "true":
        return lambda handler: handler

    from aws_lambda_powertools import Tracer  # noqa: PLC0415 - see above

    def decorate(handler: Handler) -> Handler:
        decorated: Handler = Tracer().capture_lambda_handler(handler, capture_response=False)
        return decorated

    return decorate
