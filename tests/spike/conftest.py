"""The deployed application on both edges, and the options of k6 against a test server."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from flashsale.config import Settings
from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.deployment import deploy
from flashsale_local.deployment.target import Target
from flashsale_local.stack import edge
from flashsale_local.stack.program import free_port
from flashsale_local.stack.stack import Stack
from loadtest.spike import k6
from tests.helpers.deployed import build_and_deploy
from tests.helpers.support import USERS
from tests.spike.answers import AnsweringServer, answering


@pytest.fixture(scope="session")
def target(stack: Stack, migrated: Settings) -> Iterator[Target]:
    """The application, deployed to an emulator for these tests and also served by granian."""
    stack.start(stack.emulator)
    target = stack.target("flashsale-spike")
    target.export()
    build_and_deploy(stack, target, deploy.local_parameters(target))
    web, relay = edge.web(stack.directory, free_port(), target), edge.relay(target)
    stack.add(web)
    stack.add(relay)
    target = replace(target, asgi_url=web.url)
    target.save(stack.directory)
    yield target
    for program in (web, relay):
        stack.supervisor.stop_program(program.name)


@pytest.fixture
def server() -> Iterator[AnsweringServer]:
    """Gives the answers of `answers.py` in turn."""
    with answering() as server:
        yield server


@pytest.fixture
def ids(tmp_path):
    """An ids file with so few users that they buy repeatedly."""
    path = tmp_path / "ids.json"
    path.write_text(json.dumps({"users": USERS[:50], "products": ["p"]}))
    return path


@pytest.fixture
def options(server, ids, tmp_path):
    """Options of a short run of spike.js against `server`."""
    return {
        **k6.target_options(Endpoint(server.url, {"host": "shop.example"})),
        "PROFILE": "smoke",
        "PRODUCT": "p",
        "IDS": str(ids),
        "SUMMARY": str(tmp_path / "summary.json"),
    }
