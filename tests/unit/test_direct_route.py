"""A route that would get less than it takes is rejected when it is defined."""

from typing import Annotated

import pytest
from fastapi import APIRouter, BackgroundTasks, Body, Cookie, Depends, Header, Query, Response

from flashsale.http.direct import DirectRoute

Item = Annotated[dict[str, int], Body()]


async def simple(item: Item, key: Annotated[str, Header()] = "") -> Response:
    return Response()


async def with_query(item: Item, page: Annotated[int, Query()] = 1) -> Response:
    return Response()


async def with_cookie(item: Item, session: Annotated[str, Cookie()] = "") -> Response:
    return Response()


async def with_background(item: Item, background: BackgroundTasks) -> Response:
    return Response()


async def with_header(key: Annotated[str, Header()] = "") -> str:
    return key


async def without_body() -> Response:
    return Response()


async def with_two_bodies(item: Item, other: Item) -> Response:
    return Response()


async def opened():
    yield 1


def in_a_thread(item: Item) -> Response:
    return Response()


async def with_a_headers_dependency(item: Item, key: Annotated[str, Depends(with_header)]):
    return Response()


async def with_yield(item: Item, one: Annotated[int, Depends(opened)]):
    return Response()


def define(function):
    APIRouter(route_class=DirectRoute).post("/", response_model=None)(function)


def test_a_body_and_headers_are_given():
    define(simple)


@pytest.mark.parametrize(
    "function",
    [
        without_body,
        with_two_bodies,
        with_query,
        with_cookie,
        with_background,
        in_a_thread,
        with_a_headers_dependency,
        with_yield,
    ],
)
def test_a_route_that_takes_more_is_rejected(function):
    with pytest.raises(AssertionError, match="takes what a DirectRoute does not give"):
        define(function)
