"""Fixtures of a shop whose buyers carry tokens."""

import json
from dataclasses import replace

import pytest

from flashsale.config import TrustedIssuer
from flashsale.http.application import create_app
from flashsale.http.observe import Observe
from flashsale.services import Services
from tests.helpers.in_process import client_of
from tests.helpers.issuer import AUDIENCE, NAME, Issuer


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
async def services(migrated, issuer):
    trust = TrustedIssuer(NAME, AUDIENCE, jwks=json.dumps(issuer.document()))
    services = Services(replace(migrated, auth="jwt", trusted_issuer=trust))
    services.order_queue = Kept()
    yield services
    await services.close()


@pytest.fixture
def seen():
    """Return the list of observed requests."""
    return []


@pytest.fixture
async def http(services, seen):
    async with client_of(Observe(create_app(lambda: services), seen.append)) as client:
        yield client


def bearer(token):
    return {"Authorization": f"Bearer {token}"}
