"""The issuer's keys in a process that is frozen between requests, as a Lambda function is.

The event loop runs only while a request is answered. The wall clock counts the time in between, and
CLOCK_MONOTONIC may or may not. The tests try both kinds of freezing.
"""

import asyncio
import time
from dataclasses import replace

import pytest

from flashsale import clocks
from flashsale.auth.principal import Denied, Principal
from flashsale.auth.signing_keys import COOLDOWN, FETCH_TIMEOUT, KEEP
from flashsale.auth.tokens import Tokens
from flashsale.config import TrustedIssuer
from flashsale.errors import KeysUnavailable
from tests.helpers.issuer import AUDIENCE, NAME, Issuer
from tests.helpers.support import eventually

STARTED = int(time.time())


class Function:
    """An execution environment whose event loop runs only during invocations."""

    def __init__(self, issuer):
        self._loop = asyncio.new_event_loop()
        self._tokens = Tokens(replace(TrustedIssuer(NAME, AUDIENCE), jwks_url=issuer.url))

    def invoke(self, token):
        return self._loop.run_until_complete(self._tokens.verify(token))

    def close(self):
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


@pytest.fixture
def issuer():
    issuer = Issuer()
    with issuer.serving() as issuer.url:
        yield issuer


@pytest.fixture
def function(issuer):
    function = Function(issuer)
    yield function
    function.close()


@pytest.fixture(params=["both clocks", "the wall clock", "the monotonic clock"])
def freeze(request, monkeypatch):
    """Return a function that lets seconds pass in which nothing runs.

    The clock of the event loop is CLOCK_MONOTONIC.
    """
    passed, wall, monotonic = [0.0], time.time, time.monotonic
    if request.param != "the monotonic clock":
        monkeypatch.setattr(time, "time", lambda: wall() + passed[0])
    if request.param != "the wall clock":
        monkeypatch.setattr(time, "monotonic", lambda: monotonic() + passed[0])

    def freeze(seconds):
        passed[0] += seconds

    return freeze


def rotate(issuer):
    """Withdraw the only key and sign with a new one."""
    del issuer.keys["rsa-1"]
    issuer.add("rsa-2")


def valid(issuer, **changes):
    """Return a token that outlives any of these tests."""
    return issuer.token(iat=STARTED, exp=STARTED + 10**6, **changes)


def test_a_withdrawn_key_is_trusted_no_longer_than_configured(function, issuer, freeze):
    old = valid(issuer)
    assert isinstance(function.invoke(old), Principal)
    rotate(issuer)

    freeze(KEEP / 2 + 1)
    assert isinstance(function.invoke(old), Principal)  # starts a fetch and is frozen
    freeze(KEEP / 2)

    assert isinstance(function.invoke(old), Denied)


def test_a_new_key_is_known_at_its_first_use(function, issuer, freeze):
    assert isinstance(function.invoke(valid(issuer)), Principal)
    freeze(KEEP / 2 + 1)
    assert isinstance(function.invoke(valid(issuer)), Principal)  # starts a fetch and is frozen
    rotate(issuer)
    freeze(1.5 * FETCH_TIMEOUT)

    assert isinstance(function.invoke(valid(issuer)), Principal)


def test_a_frozen_fetch_on_a_silent_connection_delays_nobody(function, issuer, freeze):
    """Its thread still waits, and the next fetch has a thread of its own."""
    old = valid(issuer)
    function.invoke(old)
    issuer.dribbling.add(2)
    freeze(KEEP / 2 + 1)
    function.invoke(old)  # starts a fetch and is frozen
    eventually(lambda: issuer.fetches == 2)
    rotate(issuer)
    freeze(KEEP / 2)

    assert isinstance(function.invoke(old), Denied)
    assert isinstance(function.invoke(valid(issuer)), Principal)


def test_an_issuer_outage_locks_nobody_out_and_fetches_are_retried(function, issuer, freeze):
    old = valid(issuer)
    function.invoke(old)
    issuer.broken = True
    freeze(KEEP)
    assert isinstance(function.invoke(old), Principal)
    rotate(issuer)
    issuer.broken = False

    # Soon after a failure no request waits for the retry, which is frozen with its loop.
    freeze(COOLDOWN)
    function.invoke(old)
    freeze(COOLDOWN)

    assert isinstance(function.invoke(old), Denied)


def test_an_old_failure_does_not_extend_the_trust(function, issuer, freeze):
    old = valid(issuer)
    function.invoke(old)
    issuer.broken = True
    freeze(KEEP)
    assert isinstance(function.invoke(old), Principal)
    rotate(issuer)
    issuer.broken = False
    freeze(2 * COOLDOWN)

    assert isinstance(function.invoke(old), Denied)


def test_one_fetch_is_enough_for_many_requests(function, issuer, freeze):
    token = valid(issuer)
    for _ in range(10):
        function.invoke(token)
        freeze(1)
        function.invoke(valid(issuer, headers={"kid": "made-up"}))

    # An unknown key causes the second and last fetch, COOLDOWN after the first.
    assert issuer.fetches <= 2


def test_keys_that_never_came_are_fetched_again_after_a_while(function, issuer, freeze):
    issuer.broken = True
    token = valid(issuer)
    for _ in range(3):
        with pytest.raises(KeysUnavailable):
            function.invoke(token)
    assert issuer.fetches == 1
    issuer.broken = False
    freeze(COOLDOWN)

    assert isinstance(function.invoke(token), Principal)


def test_setting_the_clock_back_does_not_extend_a_withdrawn_key(function, issuer, monkeypatch):
    old = valid(issuer)
    function.invoke(old)
    rotate(issuer)
    monotonic, wall = clocks.now()

    monkeypatch.setattr(clocks, "now", lambda: (monotonic + KEEP, wall - 3600))

    assert isinstance(function.invoke(old), Denied)
