"""Routes that answer an ordinary request without FastAPI's machinery, at a third of its cost.

FastAPI defines, documents and serves such a route like any other. A `DirectRoute` only goes ahead
of it: it checks a request by the validators that FastAPI made for the route, and calls the route's
function itself. FastAPI gets, and answers, each request that is not valid.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import fields
from inspect import iscoroutinefunction
from json import JSONDecodeError
from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.types import Message, Receive, Scope, Send

from flashsale.http.strict import StrictRoute, loads


class DirectRoute(APIRoute):
    """A POST route that takes a JSON body and headers, and whose function returns a response.

    Dependencies of the function may take the request, and what other dependencies return.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        given = _GIVEN | {"body_params", "header_params"}
        one_body = len(self.dependant.body_params) == 1 and not self._embed_body_fields
        fits = one_body and _is_simple(self.dependant, given)
        assert fits, f"{endpoint} takes what a DirectRoute does not give"

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request to the path of this route."""
        headers = dict(scope["headers"])  # RefuseDoubles let none of those that we need come twice
        if scope["method"] != "POST" or not _is_json(headers.get(b"content-type", b"")):
            await super().handle(scope, receive, send)
            return
        body, last = await _read(receive)
        whole = last["type"] == "http.request"  # the client has not gone
        arguments = _arguments(self.dependant, headers, body) if whole else None
        if arguments is None:
            await super().handle(scope, _again(body, last, receive), send)
            return
        response = await _call(self.dependant, arguments, Request(scope, receive, send), {})
        await response(scope, receive, send)


class StrictDirectRoute(DirectRoute, StrictRoute):
    """The same for a body that must be I-JSON."""


# What `_call` gives to a function. One that takes anything else is no function for a DirectRoute.
_GIVEN = {"call", "name", "path", "scope", "dependencies", "request_param_name"}
_NOTHING = Dependant()


def _is_simple(dependant: Dependant, given: Set[str] = _GIVEN) -> bool:
    needs = {
        one.name
        for one in fields(dependant)
        if bool(getattr(dependant, one.name)) != bool(getattr(_NOTHING, one.name))
    }
    simple = needs <= given and iscoroutinefunction(dependant.call)
    return simple and all(_is_simple(needed) for needed in dependant.dependencies)


def _is_json(content_type: bytes) -> bool:
    return content_type.partition(b";")[0].strip().lower() == b"application/json"


async def _read(receive: Receive) -> tuple[bytes, Message]:
    """Return the body, and the last message, which may say that the client has gone."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body), message


def _again(body: bytes, last: Message, receive: Receive) -> Receive:
    """Return a `receive` that gives once more what was read."""
    gone = last["type"] != "http.request"
    read = [{"type": "http.request", "body": body, "more_body": gone}, *([last] if gone else [])]

    async def receive_again() -> Message:
        return read.pop(0) if read else await receive()

    return receive_again


def _arguments(
    dependant: Dependant, headers: Mapping[bytes, bytes], body: bytes
) -> dict[str, Any] | None:
    """Return the validated body and headers by the names of the function's parameters, or None."""
    try:
        read: dict[str, Any] = {dependant.body_params[0].name: loads(body)}
    except JSONDecodeError:
        return None
    for field in dependant.header_params:
        if (value := headers.get(field.alias.encode())) is not None:
            read[field.name] = value.decode("latin-1")
        elif field.field_info.is_required():
            return None
    given = {}
    for field in (*dependant.body_params, *dependant.header_params):
        if field.name in read:  # or the function has a default
            given[field.name], errors = field.validate(read[field.name])
            if errors:
                return None
    return given


async def _call(
    dependant: Dependant, given: dict[str, Any], request: Request, results: dict[Any, Any]
) -> Any:
    """Call a function with what it takes; of its dependencies, each is called once a request."""
    for needed in dependant.dependencies:
        if needed.call not in results:
            results[needed.call] = await _call(needed, {}, request, results)
        if needed.name:
            given[needed.name] = results[needed.call]
    if dependant.request_param_name:
        given[dependant.request_param_name] = request
    assert dependant.call
    return await dependant.call(**given)
