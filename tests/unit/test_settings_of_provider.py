"""The settings of the payment provider."""

import pytest

from flashsale.config import Provider, Settings
from flashsale.errors import ConfigError
from flashsale.provider.stripe import Stripe
from flashsale.services import Services

STORES = {"REDIS_URL": "redis://h", "DATABASE_URL": "postgresql://h"}
KEY = "sk_test_of_these_tests"


def parse(**variables):
    return Settings.from_mapping({**STORES, **variables})


@pytest.mark.parametrize("url", ["https://api.stripe.com", "http://127.0.0.1:12111"])
def test_a_provider_is_an_address_and_a_key(url):
    settings = parse(PROVIDER_URL=url, PROVIDER_KEY=KEY)

    assert settings.provider == Provider(url, KEY)
    assert isinstance(Services(settings).provider, Stripe)
    assert KEY not in repr(settings)


@pytest.mark.parametrize("given", [{}, {"PROVIDER_URL": "", "PROVIDER_KEY": ""}])
def test_there_may_be_no_provider(given):
    assert Services(parse(**given)).provider is None


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"PROVIDER_URL": "https://p"}, "belong together"),
        ({"PROVIDER_KEY": KEY}, "belong together"),
        ({"PROVIDER_URL": "http://provider.example", "PROVIDER_KEY": KEY}, "not encrypted"),
        ({"PROVIDER_URL": "provider", "PROVIDER_KEY": KEY}, "PROVIDER_URL is malformed"),
        ({"PROVIDER_URL": "https://p", "PROVIDER_KEY": f"{KEY}\nX: y"}, "PROVIDER_KEY is malf"),
    ],
)
def test_a_wrong_setting_is_named_and_never_quoted(given, says):
    with pytest.raises(ConfigError, match=says) as caught:
        parse(**given)

    assert KEY not in str(caught.value)
