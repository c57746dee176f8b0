"""Fixtures of several unit tests."""

import contextlib

import pytest

from tests.helpers.scripted_sqs import Sqs


@pytest.fixture
def sqs():
    with contextlib.ExitStack() as closing:

        def serve(*script):
            server = Sqs(*script)
            closing.callback(server.close)
            return server

        yield serve
