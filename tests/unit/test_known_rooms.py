"""A process remembers for a second, and in little memory, which products a room guards."""

import pytest

from flashsale.domain.claims import Claim
from flashsale.domain.model import Refusal, Terms
from flashsale.domain.rooms import AdmissionCheck, RoomTerms
from flashsale.redis_store.known_rooms import MOST, KnownRooms


class Admissions:
    """Accepts the admission "e1" to epoch 1."""

    def check_admission(self, token, *of):
        return AdmissionCheck.VALID if token == f"e{of[-1]}" else AdmissionCheck.REQUIRED


class Clocks:
    def __init__(self):
        self.monotonic = self.wall = 1000.0

    def __call__(self):
        return self.monotonic, self.wall


@pytest.fixture
def clocks():
    return Clocks()


def claim(admission="", product_id="p"):
    return Claim(product_id, "u", 1, admission=admission)


def test_it_refuses_for_a_second_and_only_without_an_admission(clocks):
    known = KnownRooms(Admissions(), clocks)
    assert known.refusal(claim()) is None
    known.remember("p", 1)

    clocks.monotonic = 1000.999
    refusals = [known.refusal(one) for one in (claim(), claim("e1"), claim(product_id="q"))]
    clocks.wall = 1001.0

    assert refusals == [Refusal.ADMISSION_REQUIRED, None, None]
    assert known.refusal(claim()) is None


def test_an_admission_to_another_epoch_is_worth_nothing(clocks):
    known = KnownRooms(Admissions(), clocks)
    known.remember("p", 2)

    assert known.refusal(claim("e1")) is Refusal.ADMISSION_REQUIRED
    known.forget("p")
    assert known.refusal(claim("e1")) is None


def test_without_a_secret_it_refuses_nothing(clocks):
    known = KnownRooms(None, clocks)
    known.remember("p", 1)

    assert known.refusal(claim()) is None


def test_it_needs_little_memory(clocks):
    known = KnownRooms(Admissions(), clocks)

    for number in range(5 * MOST):
        known.remember(f"p{number}", 1)

    assert len(known._seen) <= MOST
    assert known.refusal(claim(product_id=f"p{5 * MOST - 1}"))


def test_a_room_needs_v5():
    assert Terms(room=RoomTerms()).generation == 5
    with pytest.raises(ValueError, match="Only V5 has waiting rooms"):
        Terms(room=RoomTerms(), generation=4)
