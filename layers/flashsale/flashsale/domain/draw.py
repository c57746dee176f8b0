"""The draw: which place a user gets who joined before the opening, by their arrival number.

It is the swap-or-not shuffle of Ethereum's consensus specification (`compute_shuffled_index`): a
permutation that is computed for one number at a time, so nothing is sorted or stored. Everybody who
knows the seed gets the same places: docs/waiting-room.md explains it, and web/draw.js computes it
in a browser.
"""

import secrets
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256

ROUNDS = 90
SEED_BYTES = 32


def place_of(number: int, drawn: int, seed: bytes) -> int:
    """Return the place of an arrival.

    Args:
        number: of the arrival, from 0.
        drawn: how many had arrived at the opening, at most 2**40. Later ones follow in order.
        seed: `SEED_BYTES` bytes.

    """
    if number >= drawn:
        return number
    return _shuffled(number, drawn, _rounds(drawn, seed))


def arrival_of(place: int, drawn: int, seed: bytes) -> int:
    """Return the number of the arrival that has this place, the inverse of `place_of`."""
    if place >= drawn:
        return place
    return _shuffled(place, drawn, _rounds(drawn, seed)[::-1])


@lru_cache(maxsize=64)
def _rounds(drawn: int, seed: bytes) -> Sequence[tuple[bytes, int]]:
    """Return what is hashed in each round, and its pivot. They are the same for all of a room."""
    rounds = []
    for number in range(ROUNDS):
        hashed = seed + number.to_bytes(1, "little")
        pivot = int.from_bytes(sha256(hashed).digest()[:8], "little") % drawn
        rounds.append((hashed, pivot))
    return rounds


def _shuffled(index: int, drawn: int, rounds: Sequence[tuple[bytes, int]]) -> int:
    """Go through the rounds. Each round pairs all numbers, and swaps about half of the pairs."""
    for hashed, pivot in rounds:
        other = (pivot - index) % drawn
        position = max(index, other)  # the same for both of a pair, which read the same bit
        bits = sha256(hashed + (position // 256).to_bytes(4, "little")).digest()
        if bits[position % 256 // 8] >> position % 8 & 1:
            index = other
    return index


def new_seed() -> str:
    """Return a random seed, in hex."""
    return secrets.token_hex(SEED_BYTES)


def commitment(seed: str) -> str:
    """Return the SHA-256 of the seed's bytes, which is published before the draw. Both in hex."""
    return sha256(bytes.fromhex(seed)).hexdigest()
