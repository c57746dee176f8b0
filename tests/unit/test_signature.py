"""The provider's signatures, and the ways in which others are refused."""

import hashlib
import hmac

import pytest

from flashsale.errors import InvalidSignature
from flashsale.provider.signature import TOLERANCE, sign, verify

BODY = b'{"id": "evt_1"}'
OLD, NEW = "o" * 32, "n" * 32
NOW = 1_800_000_000


def refused(header, body=BODY, secrets=(NEW,), now=NOW):
    with pytest.raises(InvalidSignature) as caught:
        verify(header, body, secrets, now)
    return str(caught.value)


def test_a_header_has_the_form_of_stripe():
    mac = hmac.new(NEW.encode(), b"1800000000." + BODY, hashlib.sha256).hexdigest()

    assert sign(BODY, NEW, NOW) == f"t=1800000000,v1={mac}"


@pytest.mark.parametrize("away", [-TOLERANCE, 0, TOLERANCE])
def test_a_signature_counts_within_the_window(away):
    verify(sign(BODY, NEW, NOW + away), BODY, [NEW], NOW)


@pytest.mark.parametrize(
    ("away", "why"), [(-TOLERANCE - 1, "too_old"), (TOLERANCE + 1, "in_the_future")]
)
def test_a_signature_does_not_count_beyond_the_window(away, why):
    assert refused(sign(BODY, NEW, NOW + away)) == why


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_either_of_two_secrets_counts_while_one_is_replaced(secret):
    verify(sign(BODY, secret, NOW), BODY, [NEW, OLD], NOW)


def test_one_of_several_signatures_suffices():
    header = sign(BODY, OLD, NOW) + "," + sign(BODY, NEW, NOW).partition(",")[2]

    verify(header, BODY, [NEW], NOW)
    verify(f"{header},v0=test", BODY, [OLD], NOW)


def test_a_signature_of_another_secret_is_refused():
    assert refused(sign(BODY, OLD, NOW)) == "wrong"


def test_without_secrets_nothing_is_accepted():
    assert refused(sign(BODY, "", NOW), secrets=()) == "wrong"


def test_a_signature_of_another_body_is_refused():
    assert refused(sign(BODY, NEW, NOW), BODY + b" ") == "wrong"


def test_the_time_is_part_of_what_is_signed():
    header = sign(BODY, NEW, NOW - 2 * TOLERANCE)

    assert refused(header.replace(str(NOW - 2 * TOLERANCE), str(NOW))) == "wrong"


@pytest.mark.parametrize("length", [0, 1, 63])
def test_a_truncated_signature_is_refused(length):
    header, _, mac = sign(BODY, NEW, NOW).rpartition("=")

    assert refused(f"{header}={mac[:length]}") == "wrong"


@pytest.mark.parametrize("header", ["", "nonsense", "t=", "v1=00", f"t={NOW}", f"t={NOW},v0=00"])
def test_a_header_without_its_parts_is_refused(header):
    assert refused(header) == ("malformed" if header else "missing")


@pytest.mark.parametrize("at", ["", "-1", "1.5", "1e9", "١٢٣", "9" * 13, " 1", "0x1"])
def test_a_time_that_is_no_number_of_seconds_is_refused(at):
    assert refused(f"t={at},v1=00") == "malformed"


def test_two_times_are_refused():
    assert refused(f"{sign(BODY, NEW, NOW)},t={NOW}") == "malformed"


@pytest.mark.parametrize("mac", ["é" * 64, "\ud800", "0" * 100_000])
def test_a_signature_that_is_no_hex_is_refused(mac):
    assert refused(f"t={NOW},v1={mac}") == "wrong"
