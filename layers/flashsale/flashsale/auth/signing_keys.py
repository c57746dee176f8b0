"""The public keys of the token issuer (JWK Set, RFC 7517): fetched, cached and refreshed."""

import asyncio
import json
import math
from concurrent.futures import ThreadPoolExecutor

from jwt import PyJWK, PyJWKClient, PyJWKSet
from jwt.exceptions import PyJWKError, PyJWKSetError, PyJWTError

from flashsale import clocks
from flashsale.config import TrustedIssuer
from flashsale.errors import ConfigError, KeysUnavailable

# Seconds that a fetch may take.
FETCH_TIMEOUT = 2.0
# Seconds for which keys are cached. A withdrawn key is accepted for that time at most, as long as
# the issuer responds. After half of it the keys are refreshed, while requests use the cached ones.
KEEP = 600.0
# Seconds between two fetches. An unknown key id triggers a fetch, and any client can send one. A
# failed fetch is not retried earlier either.
COOLDOWN = 10.0
_NEVER: clocks.Moment = (-math.inf, -math.inf)


class SigningKeys:
    """Keys by their ids. While the issuer is down, the cached keys stay valid."""

    def __init__(self, trust: TrustedIssuer) -> None:
        self._keys: dict[str | None, PyJWK] = {}
        # When these began: the fetch of the cached keys, the last fetch, the last failed fetch.
        self._as_of = self._begun = self._failed = _NEVER
        self._fetching: asyncio.Task[None] | None = None
        # A pool of its own, because a deadline ends the wait and not the thread. Several threads,
        # because one that was frozen during a fetch must not delay the next fetch.
        self._threads = ThreadPoolExecutor(4, "signing-keys")
        if trust.jwks:
            try:
                self._keys = _by_id(json.loads(trust.jwks))
            except (ValueError, PyJWTError) as error:
                text = 'JWT_JWKS is not a JSON Web Key Set; it should look like {"keys": […]}'
                raise ConfigError(text) from error
            self._client = None
        else:
            self._client = PyJWKClient(trust.jwks_url, cache_jwk_set=False, timeout=FETCH_TIMEOUT)

    async def get(self, key_id: str | None) -> PyJWK | None:
        """Return the key with this id, or None. The id None stands for the only key of the set.

        Raises:
            KeysUnavailable: no keys were fetched yet.

        """
        if self._client:
            known, age = key_id in self._keys, clocks.since(self._as_of)
            if not known or age >= KEEP / 2:
                await self._refresh(self._client, needed=not known or age >= KEEP, known=known)
        return self._keys.get(key_id)

    async def _refresh(self, client: PyJWKClient, *, needed: bool, known: bool) -> None:
        """Start a fetch if it is due, and wait for it if the caller needs its result."""
        under_way = self._fetching is not None and not self._fetching.done()
        stopped = under_way and _is_stopped(self._begun)
        if stopped or (not under_way and clocks.since(self._begun) >= COOLDOWN):
            self._begun, under_way = clocks.now(), True
            self._fetching = asyncio.create_task(self._fetch(client, self._begun))
        # For a while after a failed fetch, requests with a cached key do not wait for the next one.
        outage = known and not stopped and clocks.since(self._failed) < 2 * COOLDOWN
        if self._fetching and under_way and needed and not outage:
            await asyncio.shield(self._fetching)  # other requests may wait for it
        if not self._keys:
            raise KeysUnavailable("the issuer's keys could not be fetched")

    async def _fetch(self, client: PyJWKClient, begun: clocks.Moment) -> None:
        loop = asyncio.get_running_loop()
        try:
            # The client's own timeout is for each read, not for the whole response.
            async with asyncio.timeout(FETCH_TIMEOUT):
                document = await loop.run_in_executor(self._threads, client.fetch_data)
            keys = _by_id(document)
        except (PyJWTError, ValueError, OSError):
            if begun is self._begun:
                # A frozen fetch tells nothing about the issuer: allow the next one at once.
                stopped = _is_stopped(begun)
                self._begun, self._failed = (
                    (_NEVER, self._failed) if stopped else (begun, clocks.now())
                )
            return
        if begun >= self._as_of:  # a late result may be older than the cached keys
            self._keys, self._as_of, self._failed = keys, begun, _NEVER


def _is_stopped(begun: clocks.Moment) -> bool:
    """Return whether a fetch takes longer than it may, because its event loop was frozen."""
    return clocks.since(begun) > 1.25 * FETCH_TIMEOUT  # a busy loop may be half a second late


def _by_id(document: object) -> dict[str | None, PyJWK]:
    try:
        listed = PyJWKSet.from_dict(document).keys if isinstance(document, dict) else []
    except (PyJWKSetError, PyJWKError) as error:
        raise ValueError(str(error)) from error
    # Never a secret ("oct"), because everybody can read the set.
    usable = [
        k for k in listed if k.key_type in ("RSA", "EC") and k.public_key_use in (None, "sig")
    ]
    if not usable:
        raise ValueError("no public keys")
    keys: dict[str | None, PyJWK] = {key.key_id: key for key in usable}
    if len(usable) == 1:
        keys[None] = usable[0]
    return keys
