"""The issuer's keys, fetched over HTTP: caching, rotation and deadlines."""

import asyncio
import time
from dataclasses import replace

import pytest

from flashsale.auth import signing_keys
from flashsale.auth.principal import Denied, Principal
from flashsale.auth.tokens import Tokens
from flashsale.config import TrustedIssuer
from flashsale.errors import KeysUnavailable
from tests.helpers.issuer import AUDIENCE, NAME, Issuer

TRUST = TrustedIssuer(NAME, AUDIENCE)


class TestFetchedKeys:
    """Keys on a real HTTP server."""

    @pytest.fixture
    def published(self, monkeypatch):
        self.clock = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.clock)
        issuer = Issuer()
        with issuer.serving() as issuer.url:
            yield issuer

    def tokens(self, issuer):
        return Tokens(replace(TRUST, jwks_url=issuer.url))

    async def test_keys_are_fetched_once_for_many_tokens(self, published):
        tokens, token = self.tokens(published), published.token()

        principals = await asyncio.gather(*(tokens.verify(token) for _ in range(50)))

        assert all(isinstance(principal, Principal) for principal in principals)
        assert published.fetches == 1

    async def test_a_new_key_is_found_and_a_withdrawn_one_is_dropped(self, published):
        tokens, old = self.tokens(published), published.token()
        await tokens.verify(old)
        del published.keys["rsa-1"]
        published.add("rsa-2")

        self.clock += signing_keys.COOLDOWN
        assert isinstance(await tokens.verify(published.token()), Principal)
        assert isinstance(await tokens.verify(old), Denied)

    async def test_unknown_keys_do_not_flood_the_issuer(self, published):
        tokens = self.tokens(published)
        for n in range(50):
            await tokens.verify(published.token(headers={"kid": f"made-up-{n}"}))

        assert published.fetches == 1

    async def test_a_withdrawn_key_is_trusted_no_longer_than_configured(self, published):
        tokens, old = self.tokens(published), published.token()
        await tokens.verify(old)
        del published.keys["rsa-1"]
        published.add("rsa-2")

        self.clock += signing_keys.KEEP

        assert isinstance(await tokens.verify(old), Denied)

    async def test_an_issuer_that_is_down_locks_nobody_out(self, published):
        tokens, token = self.tokens(published), published.token()
        await tokens.verify(token)
        published.broken = True

        self.clock += signing_keys.KEEP

        assert isinstance(await tokens.verify(token), Principal)
        assert published.fetches == 2

    async def test_keys_that_never_came_are_an_outage_and_fetched_again(self, published):
        tokens, token = self.tokens(published), published.token()
        published.broken = True
        for _ in range(20):
            with pytest.raises(KeysUnavailable):
                await tokens.verify(token)
        assert published.fetches == 1
        published.broken = False

        self.clock += signing_keys.COOLDOWN

        assert isinstance(await tokens.verify(token), Principal)

    async def test_a_token_with_a_known_key_waits_for_no_fetch(self, published):
        tokens, token = self.tokens(published), published.token()
        await tokens.verify(token)
        published.add("rsa-2")
        published.hurries.clear()

        self.clock += signing_keys.KEEP / 2
        principal = await tokens.verify(token)  # would hang if it waited

        assert isinstance(principal, Principal)
        published.hurries.set()
        await under_way()
        assert published.fetches == 2
        assert isinstance(await tokens.verify(published.token()), Principal)

    async def test_during_an_outage_no_request_waits_for_the_retry(self, published):
        tokens, token = self.tokens(published), published.token()
        await tokens.verify(token)
        published.broken = True
        self.clock += signing_keys.KEEP
        await tokens.verify(token)
        published.broken = False
        published.hurries.clear()

        self.clock += signing_keys.COOLDOWN
        principal = await tokens.verify(token)

        assert isinstance(principal, Principal)
        published.hurries.set()
        await under_way()
        assert published.fetches == 3

    async def test_a_connection_that_is_reset_is_an_outage(self, published):
        tokens, token = self.tokens(published), published.token()
        published.resets = True

        with pytest.raises(KeysUnavailable):
            await tokens.verify(token)


async def test_a_slow_issuer_delays_a_request_no_longer_than_configured(monkeypatch):
    monkeypatch.setattr(signing_keys, "FETCH_TIMEOUT", 0.2)
    issuer = Issuer()
    issuer.hurries.clear()
    with issuer.serving() as url:
        tokens = Tokens(replace(TRUST, jwks_url=url))
        async with asyncio.timeout(30):
            with pytest.raises(KeysUnavailable):
                await tokens.verify(issuer.token())


async def under_way():
    """Wait for the fetches in the background."""
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})
