"""JSON that can be read in one way only (I-JSON, RFC 7493), for the bodies of V5.

Where two readers of one text (a firewall, this application) may understand two things, a buyer can
be one user for the first and another for the second.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from fastapi import Request, Response
from fastapi.routing import APIRoute


def loads(text: bytes) -> Any:
    """Parse JSON: UTF-8 only, no name twice in an object, no NaN or Infinity.

    Raises:
        json.JSONDecodeError: for all of these, and for what is too deep or too large a number.

    """
    try:
        return json.loads(text.decode(), object_pairs_hook=_object, parse_constant=_no_number)
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise json.JSONDecodeError(str(error), "", 0) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name comes twice")
    return made


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


class _StrictRequest(Request):
    async def json(self) -> Any:
        return loads(await self.body())


class StrictRoute(APIRoute):
    """A route whose JSON body is read by `loads`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What FastAPI calls for a request."""
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return handle_strictly
