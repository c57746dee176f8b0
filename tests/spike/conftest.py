"""The deployed application on both edges, and fixtures for k6 against our own server."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from flashsale.config import Settings
from flashsale_local.deployment import deploy
from flashsale_local.deployment.endpoint import Endpoint
from flashsale_local.deployment.target import Target
from flashsale_local.stack import edge
from flashsale_local.stack.program import free_port
from flashsale_local.stack.stack import Stack
from loadtest.spike import k6
from tests.spike.answers import Till, till
from tests.support import USERS


@pytest.fixture(scope="session")
def target(stack: Stack, migrated: Settings) -> Iterator[Target]:
    """Deploy the application to a separate emulator, and serve it by granian."""
    stack.start(stack.emulator)
    target = stack.target("flashsale-spike")
    target.export()
    parameters, logs = deploy.local_parameters(target), stack.directory / "logs"
    deploy.build("local", parameters, logs / "sam-build.log")
    deploy.deploy("local", target.stack_name, parameters, logs / "sam-deploy.log")
    target.cloud.finish_deploy(target.stack_name, parameters)
    web, relay = edge.web(stack.directory, free_port(), target), edge.relay(target)
    stack.add(web)
    stack.add(relay)
    target = replace(target, asgi_url=web.url)
    target.save(stack.directory)
    yield target
    for program in (web, relay):
        stack.supervisor.stop_program(program.name)


@pytest.fixture
def server() -> Iterator[Till]:
    """Serve the answers of `answers.py` in turn."""
    with till() as server:
        yield server


@pytest.fixture
def ids(tmp_path):
    """Write an ids file with few users, so that they repeat."""
    path = tmp_path / "ids.json"
    path.write_text(json.dumps({"users": USERS[:50], "products": ["p"]}))
    return path


@pytest.fixture
def options(server, ids, tmp_path):
    """Return the options of a short run of spike.js against `server`."""
    return {
        **k6.target_options(Endpoint(server.url, {"host": "shop.example"})),
        "PROFILE": "smoke",
        "PRODUCT": "p",
        "IDS": str(ids),
        "SUMMARY": str(tmp_path / "summary.json"),
    }
