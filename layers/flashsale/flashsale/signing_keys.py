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


class SigningKeys:
    """Keys by their ids. While the issuer is down, the keys that were fetched last are used."""

    def __init__(self, trust: Trust) -> None:
        self._keys: dict[str | None, PyJWK] = {}
        self._stale = self._expires = self._next_fetch = 0.0
        self._fetching: asyncio.Task[None] | None = None
        # Its own: a deadline ends the waiting and not the thread, and an issuer that dribbles would
        # take one after the other of those that all share.
        self._thread = ThreadPoolExecutor(1, "signing-keys")
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
        known, now = key_id in self._keys, time.monotonic()
        if self._client and (now >= self._stale or not known):
            if (self._fetching is None or self._fetching.done()) and now >= self._next_fetch:
                self._fetching = asyncio.create_task(self._fetch(self._client))
            if self._fetching and (now >= self._expires or not known):
                await asyncio.shield(self._fetching)  # others may wait for it, too
            if not self._keys:
                raise KeysUnavailable("the issuer's keys could not be fetched")
        return self._keys.get(key_id)

    async def _fetch(self, client: PyJWKClient) -> None:
        loop = asyncio.get_running_loop()
        try:
            # The client's own deadline is for each piece that comes, not for all of them.
            async with asyncio.timeout(FETCH_TIMEOUT):
                document = await loop.run_in_executor(self._thread, client.fetch_data)
            self._keys = _by_id(document)
            now = time.monotonic()
            self._stale, self._expires = now + KEEP / 2, now + KEEP
        except (PyJWTError, ValueError, OSError):
            # With keys, go on with them, and let nobody wait; without, `find` says so.
            self._expires = math.inf
        finally:
            self._next_fetch = time.monotonic() + COOLDOWN


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
