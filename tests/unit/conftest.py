"""Fixtures of several unit tests."""

import contextlib

import pytest

from flashsale.sqs_store import order_queue
from tests.helpers.scripted_sqs import Sqs


@pytest.fixture
def sqs(monkeypatch):
    monkeypatch.setattr(order_queue, "PUSH_TIME", 60.0)  # a busy machine stalls
    with contextlib.ExitStack() as closing:

        def serve(*script):
            server = Sqs(*script)
            closing.callback(server.close)
            return server

        yield serve
