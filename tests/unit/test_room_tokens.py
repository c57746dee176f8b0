"""Tickets and admissions of waiting rooms: what they say, to whom, and for how long."""

import time

import jwt
import pytest

from flashsale.auth.room_tokens import LEEWAY, RoomTokens, Ticket
from flashsale.config import Settings
from flashsale.domain.rooms import AdmissionCheck
from flashsale.errors import ConfigError
from flashsale.services import Services

OLD, NEW = "o" * 32, "n" * 32
USER, PRODUCT, EPOCH = "u-7", "p-01", 3
STORES = {"REDIS_URL": "redis://h", "DATABASE_URL": "postgresql://h"}


@pytest.fixture
def tokens():
    return RoomTokens([NEW])


def in_seconds(seconds):
    return int((time.time() + seconds) * 1000)


def test_a_ticket_says_whose_place_it_is(tokens):
    ticket = tokens.ticket(USER, PRODUCT, EPOCH, 41)

    assert tokens.read_ticket(ticket, PRODUCT) == Ticket(USER, PRODUCT, EPOCH, 41)
    assert tokens.ticket(USER, PRODUCT, EPOCH, 41) == ticket, "the same place is the same ticket"


def test_a_ticket_is_an_hs256_token_of_its_own_type_without_an_end(tokens):
    ticket = tokens.ticket(USER, PRODUCT, EPOCH, 0)

    assert jwt.get_unverified_header(ticket) == {"alg": "HS256", "typ": "place+jwt"}
    claims = jwt.decode(ticket, NEW, ["HS256"], audience=PRODUCT)
    assert claims == {"sub": USER, "aud": PRODUCT, "epoch": EPOCH, "i": 0}


def test_a_ticket_of_another_epoch_says_so(tokens):
    """The caller knows which epoch counts."""
    assert tokens.read_ticket(tokens.ticket(USER, PRODUCT, 2, 5), PRODUCT).epoch == 2


def test_an_admission_is_valid_until_its_end(tokens):
    until = in_seconds(60)

    admission = tokens.admission(USER, PRODUCT, EPOCH, until)

    assert tokens.check_admission(admission, USER, PRODUCT, EPOCH) is AdmissionCheck.VALID
    assert jwt.get_unverified_header(admission) == {"alg": "HS256", "typ": "admission+jwt"}
    claims = jwt.decode(admission, NEW, ["HS256"], audience=PRODUCT)
    assert 0 <= claims["exp"] * 1000 - until < 1000, "never before Redis ends it"


@pytest.mark.parametrize(
    ("later", "is_known"),
    [
        (-3600, AdmissionCheck.VALID),
        (0, AdmissionCheck.VALID),
        (LEEWAY, AdmissionCheck.VALID),
        (LEEWAY + 1, AdmissionCheck.OVER),
        (3600, AdmissionCheck.OVER),
    ],
)
def test_an_admission_ends_when_no_clock_may_say_otherwise(tokens, monkeypatch, later, is_known):
    until = 1_800_000_000_500
    admission = tokens.admission(USER, PRODUCT, EPOCH, until)

    monkeypatch.setattr("time.time", lambda: until / 1000 + later)

    assert tokens.check_admission(admission, USER, PRODUCT, EPOCH) is is_known


@pytest.mark.parametrize("seconds", [60, -60])
@pytest.mark.parametrize(
    "other", [("u-8", PRODUCT, EPOCH), (USER, "p-02", EPOCH), (USER, PRODUCT, EPOCH + 1)]
)
def test_an_admission_of_others_is_none_whether_it_ran_out_or_not(tokens, other, seconds):
    admission = tokens.admission(USER, PRODUCT, EPOCH, in_seconds(seconds))

    assert tokens.check_admission(admission, *other) is AdmissionCheck.REQUIRED


def test_both_secrets_are_accepted_and_the_first_one_signs():
    before, during = RoomTokens([OLD]), RoomTokens([NEW, OLD])
    after = RoomTokens([NEW])
    old, new = (tokens.ticket(USER, PRODUCT, EPOCH, 1) for tokens in (before, during))

    assert during.read_ticket(old, PRODUCT) == during.read_ticket(new, PRODUCT)
    assert after.read_ticket(new, PRODUCT)
    assert after.read_ticket(old, PRODUCT) is None
    admission = before.admission(USER, PRODUCT, EPOCH, in_seconds(60))
    assert during.check_admission(admission, USER, PRODUCT, EPOCH) is AdmissionCheck.VALID
    assert after.check_admission(admission, USER, PRODUCT, EPOCH) is AdmissionCheck.REQUIRED


def test_the_longest_ids_fit(tokens):
    user, product = "~" * 128, "p" * 64

    ticket = tokens.ticket(user, product, 2**31, 2**40)

    assert tokens.read_ticket(ticket, product) == Ticket(user, product, 2**31, 2**40)


@pytest.mark.parametrize(
    ("given", "secrets"),
    [(None, ()), ("", ()), (NEW, (NEW,)), (f" {NEW} , {OLD}\n", (NEW, OLD))],
)
def test_the_setting_is_one_secret_or_two_or_none(given, secrets):
    settings = Settings.from_mapping(STORES | ({} if given is None else {"ROOM_SECRET": given}))

    assert settings.room_secrets == secrets
    assert NEW not in repr(settings)
    made = Services(settings).room_tokens
    assert (made is None) is (not secrets)
    if made:
        ticket = made.ticket(USER, PRODUCT, EPOCH, 1)
        assert RoomTokens([NEW]).read_ticket(ticket, PRODUCT)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("s3cret", "ROOM_SECRET has a secret that is too short; it should have 32 bytes or more"),
        (f"{NEW},s3cret", "too short"),
        (f"{NEW},{OLD},{'s3cret' * 9}", "ROOM_SECRET has 3 secrets; it should have one or two"),
    ],
)
def test_a_wrong_setting_is_named_and_never_quoted(given, says):
    with pytest.raises(ConfigError, match=says) as caught:
        Settings.from_mapping(STORES | {"ROOM_SECRET": given})

    assert not {"s3cret", NEW} & set(str(caught.value).split())
    assert "s3cret" not in str(caught.value)
