"""The public keys of who issues tokens (JWKS, RFC 7517): fetched, kept, and fetched again."""

import asyncio
import json
import math
import time
from concurrent.futures import ThreadPoolExecutor

from jwt import PyJWK, PyJWKClient, PyJWKSet
from jwt.exceptions import PyJWKError, PyJWKSetError, PyJWTError

from flashsale.config import Trust
from flashsale.errors import ConfigError, KeysUnavailable

# Seconds. A fetch takes this long at most; a withdrawn key is believed this long at most, as long
# as the issuer answers. After half of it the keys are fetched anew, while all go on with the old.
FETCH_TIMEOUT = 2.0
KEEP = 600.0
# A key that nobody knows asks for a new fetch, and so may anybody: not more often than this. After
# a failed fetch, too.
COOLDOWN = 10.0
# A Lambda function is stopped between two requests, with its event loop, its threads, and perhaps
# CLOCK_MONOTONIC; a wall clock may be set back. What either clock says has passed, has passed.
Moment = tuple[float, float]
_NEVER: Moment = (-math.inf, -math.inf)


def clocks() -> Moment:
    """Now, in seconds, by CLOCK_MONOTONIC and by the wall clock."""
    return time.monotonic(), time.time()


def _since(then: Moment) -> float:
    monotonic, wall = clocks()
    return max(monotonic - then[0], wall - then[1])


class SigningKeys:
    """Keys by their ids. While the issuer is down, the keys that were fetched last are used."""

    def __init__(self, trust: Trust) -> None:
        self._keys: dict[str | None, PyJWK] = {}
        # When the fetch began that brought the keys, the last fetch, and the last that failed.
        self._as_of = self._begun = self._failed = _NEVER
        self._fetching: asyncio.Task[None] | None = None
        # Its own: a deadline ends the waiting and not the thread. More than one: a thread that
        # was stopped in the middle of a fetch must not keep the next fetch waiting.
        self._threads = ThreadPoolExecutor(4, "signing-keys")
        if trust.jwks:
            try:
                self._keys = _by_id(json.loads(trust.jwks))
            except (ValueError, PyJWTError) as error:
                raise ConfigError("JWT_JWKS is no JSON Web Key Set") from error
            self._client = None
        else:
            self._client = PyJWKClient(trust.jwks_url, cache_jwk_set=False, timeout=FETCH_TIMEOUT)

    async def find(self, key_id: str | None) -> PyJWK | None:
        """The key with this id, or None; a token that names none means the only key there is.

        Raises:
            KeysUnavailable: no keys could be fetched yet.

        """
        if self._client:
            known, age = key_id in self._keys, _since(self._as_of)
            if not known or age >= KEEP / 2:
                await self._refresh(self._client, needed=not known or age >= KEEP, known=known)
        return self._keys.get(key_id)

    async def _refresh(self, client: PyJWKClient, *, needed: bool, known: bool) -> None:
        """Begin a fetch if it is time, and wait for it if the caller cannot go on without."""
        under_way = self._fetching is not None and not self._fetching.done()
        stopped = under_way and _is_stopped(self._begun)
        if stopped or (not under_way and _since(self._begun) >= COOLDOWN):
            self._begun, under_way = clocks(), True
            self._fetching = asyncio.create_task(self._fetch(client, self._begun))
        # For a while after a failed fetch nobody who has a key waits for the next.
        outage = known and not stopped and _since(self._failed) < 2 * COOLDOWN
        if self._fetching and under_way and needed and not outage:
            await asyncio.shield(self._fetching)  # others may wait for it, too
        if not self._keys:
            raise KeysUnavailable("the issuer's keys could not be fetched")

    async def _fetch(self, client: PyJWKClient, begun: Moment) -> None:
        loop = asyncio.get_running_loop()
        try:
            # The client's own deadline is for each piece that comes, not for all of them.
            async with asyncio.timeout(FETCH_TIMEOUT):
                document = await loop.run_in_executor(self._threads, client.fetch_data)
            keys = _by_id(document)
        except (PyJWTError, ValueError, OSError):
            if begun is self._begun:
                # One that was stopped says nothing of the issuer, and the next need not wait.
                stopped = _is_stopped(begun)
                self._begun, self._failed = (_NEVER, self._failed) if stopped else (begun, clocks())
            return
        if begun >= self._as_of:  # what comes late may be older than what there is
            self._keys, self._as_of, self._failed = keys, begun, _NEVER


def _is_stopped(begun: Moment) -> bool:
    """Whether a fetch was under way for longer than it may be: its event loop stood still."""
    return _since(begun) > 1.25 * FETCH_TIMEOUT  # a busy loop may be late by half a second


def _by_id(document: object) -> dict[str | None, PyJWK]:
    try:
        listed = PyJWKSet.from_dict(document).keys if isinstance(document, dict) else []
    except (PyJWKSetError, PyJWKError) as error:
        raise ValueError(str(error)) from error
    # Never a secret ("oct"): what everybody can read must not sign.
    usable = [
        k for k in listed if k.key_type in ("RSA", "EC") and k.public_key_use in (None, "sig")
    ]
    if not usable:
        raise ValueError("no public keys")
    keys: dict[str | None, PyJWK] = {key.key_id: key for key in usable}
    if len(usable) == 1:
        keys[None] = usable[0]
    return keys
