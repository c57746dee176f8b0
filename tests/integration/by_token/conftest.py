"""Fixtures of a shop whose buyers carry tokens."""

import json
from dataclasses import replace

import httpx
import pytest

from flashsale.config import Trust
from flashsale.http.dependencies import get_services
from flashsale.http.observe import Observe
from flashsale.services import Services
from functions.buy.app import api
from tests.issuer import AUDIENCE, NAME, Issuer


class Kept:
    """A queue that keeps all messages."""

    def __init__(self):
        self.envelopes = []

    async def send(self, envelopes):
        self.envelopes += envelopes

    async def ping(self):
        pass


@pytest.fixture(scope="module")
def issuer():
    return Issuer()


@pytest.fixture
async def services(migrated, issuer, patient):
    trust = Trust(NAME, AUDIENCE, jwks=json.dumps(issuer.document()))
    services = Services(replace(migrated, auth="jwt", trust=trust))
    services.order_queue = Kept()
    yield services
    await services.close()


@pytest.fixture
def seen():
    """Return the list of observed requests."""
    return []


@pytest.fixture
async def http(services, seen):
    api.dependency_overrides[get_services] = lambda: services
    transport = httpx.ASGITransport(Observe(api, seen.append), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
    api.dependency_overrides.clear()


def bearer(token):
    return {"Authorization": f"Bearer {token}"}
