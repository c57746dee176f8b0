"""The engine that `make test-containers` started, and one stack in it for all tests."""

import os
from collections.abc import Iterator

import pytest

from tests.containers.stack import Stack


@pytest.fixture(scope="session")
def engine() -> dict[str, str]:
    """The environment that leads `docker` to the engine."""
    if "DOCKER_HOST" not in os.environ:
        pytest.exit("These tests need an engine of their own: use `make test-containers`.", 2)
    return dict(os.environ)


@pytest.fixture(scope="session")
def stack(engine: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack, with AUTH=none and all ports moved."""
    stack = Stack(tmp_path_factory.mktemp("checkout") / "flashsale", engine)
    try:
        stack.flashsale("up")
        yield stack
    finally:
        stack.docker("compose", "down", "--volumes", "--remove-orphans")
