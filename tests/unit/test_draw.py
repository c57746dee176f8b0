"""The draw: a permutation, the same as Ethereum's and as the one in the docs, and a fair one."""

import contextlib
import io
import json
import re
from bisect import bisect, insort
from collections import Counter
from hashlib import sha256

import pytest

from flashsale.domain.draw import arrival_of, commitment, new_seed, place_of
from flashsale_local.paths import ROOT

VECTORS = json.loads((ROOT / "tests" / "helpers" / "draw_vectors.json").read_text())
# From ethereum/consensus-spec-tests: tests/mainnet/phase0/shuffling/core/shuffle, the folders of
# this seed, `mapping` in mapping.yaml. Of the last two, the first ten numbers.
ETHEREUMS_SEED = bytes.fromhex("4ac96f664a6cafd300b161720809b9e17905d4d8fed7a97ff89cf0080a953fe7")
OF_ETHEREUM = {
    10: [0, 6, 8, 2, 7, 9, 3, 4, 5, 1],
    33: [19, 6, 0, 1, 24, 16, 9, 23, 27, 20, 18, 8, 22, 21, 4, 3, 13, 14, 5, 15, 25, 11, 12, 30, 7,
         31, 17, 10, 2, 28, 26, 29, 32],
    1000: [791, 549, 696, 194, 886, 830, 15, 460, 428, 371],
    9999: [6541, 9566, 2544, 3692, 9657, 1301, 6388, 9559, 9714, 9141],
}  # fmt: skip


def seed_of(name):
    """Return a seed that is the same in each run."""
    return sha256(f"test_draw {name}".encode()).digest()


@pytest.mark.parametrize("drawn", OF_ETHEREUM)
def test_places_are_those_of_ethereum(drawn):
    expected = OF_ETHEREUM[drawn]

    assert [place_of(i, drawn, ETHEREUMS_SEED) for i in range(len(expected))] == expected


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["drawn"]))
def test_places_are_those_that_are_published(vector):
    drawn, seed = vector["drawn"], bytes.fromhex(vector["seed"])

    for number, place in vector["places"].items():
        assert place_of(int(number), drawn, seed) == place
        assert arrival_of(place, drawn, seed) == int(number)
    assert commitment(vector["seed"]) == vector["commitment"]


def test_the_code_in_the_docs_prints_what_they_say_and_agrees():
    page = (ROOT / "docs" / "waiting-room.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (said,) = re.findall(r"It prints .*?```text\n(.*?)```", page, re.DOTALL)
    printed, names = io.StringIO(), {}

    with contextlib.redirect_stdout(printed):
        exec(code, names)

    assert printed.getvalue() == said
    drawn, seed = 10, names["seed"]
    assert commitment(seed.hex()) in said
    assert str([place_of(i, drawn, seed) for i in range(drawn)]) in said
    for number, drawn in ((0, 256), (255, 257), (4711, 100_000), (2**24, 2**24 + 1)):
        assert names["place"](number, drawn, seed) == place_of(number, drawn, seed)


@pytest.mark.parametrize("first", range(1, 301, 50))
def test_each_place_is_given_once(first):
    for drawn in range(first, first + 50):
        seed = seed_of(drawn)

        places = [place_of(i, drawn, seed) for i in range(drawn)]

        assert sorted(places) == list(range(drawn)), drawn


@pytest.mark.parametrize("drawn", [1, 2, 3, 255, 256, 257, 511, 512, 513, 3000])
def test_each_place_leads_back_to_its_arrival(drawn):
    seed = seed_of("back")

    assert [arrival_of(place_of(i, drawn, seed), drawn, seed) for i in range(drawn)] == list(
        range(drawn)
    )


@pytest.mark.parametrize("drawn", [2**24 + 1, 2**32 - 1, 2**40])
def test_rooms_may_be_as_large_as_ethereums_lists(drawn):
    seed = seed_of(drawn)
    numbers = [0, 1, drawn // 2, drawn - 2, drawn - 1]

    places = [place_of(i, drawn, seed) for i in numbers]

    assert all(0 <= place < drawn for place in places)
    assert len(set(places)) == len(numbers)
    assert [arrival_of(place, drawn, seed) for place in places] == numbers


@pytest.mark.parametrize("drawn", [0, 1, 100])
def test_who_comes_after_the_draw_follows_in_order(drawn):
    for number in (drawn, drawn + 1, 10**6):
        assert place_of(number, drawn, seed_of(0)) == number
        assert arrival_of(number, drawn, seed_of(0)) == number


def test_the_first_arrival_gets_each_place_equally_often():
    """Chi-square over 10,000 seeds and 100 places: between its quantiles 0.001 and 0.999."""
    drawn, seeds = 100, 10_000

    found = Counter(place_of(0, drawn, seed_of(k)) for k in range(seeds))

    expected = seeds / drawn
    chi_square = sum((found[place] - expected) ** 2 / expected for place in range(drawn))
    assert 61 < chi_square < 149, "99 degrees of freedom"


def test_an_earlier_arrival_has_no_better_place():
    """Kendall's tau: 1 if the places are in the order of arrival, -1 if they are in reverse."""
    drawn, seed = 2000, seed_of("tau")
    places, in_order = [], 0

    for number in range(drawn):
        place = place_of(number, drawn, seed)
        in_order += bisect(places, place)
        insort(places, place)

    pairs = drawn * (drawn - 1) / 2
    assert abs(2 * in_order / pairs - 1) < 0.05


def test_another_seed_gives_other_places():
    one, other = ([place_of(i, 1000, seed_of(name)) for i in range(1000)] for name in "ab")

    assert sum(a == b for a, b in zip(one, other, strict=True)) < 10, "one is to be expected"


def test_each_seed_is_new_and_has_32_bytes():
    seeds = {new_seed() for _ in range(100)}

    assert len(seeds) == 100
    assert {len(bytes.fromhex(seed)) for seed in seeds} == {32}
