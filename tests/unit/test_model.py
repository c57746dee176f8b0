"""Parsing of messages and settings, and errors for what is invalid."""

import pytest

from flashsale.config import Settings
from flashsale.domain.messages import QueuedOrder, orders_of_message
from flashsale.errors import ConfigError, InvalidMessage

ENV = {"REDIS_URL": "redis://r:6379/0", "DATABASE_URL": "postgresql://u:secret@db/x"}


def test_an_order_is_unchanged_after_encoding_and_decoding():
    order = QueuedOrder(
        id="o", product_id="p", user_id="u", quantity=2, generation=4, correlation_id="c"
    )

    assert orders_of_message(order.model_dump_json()) == [order]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("", "body"),
        ("{", "body"),
        ("[]", "body"),
        ('{"product_id": "p", "user_id": "u", "generation": 4}', "id"),
        ('{"id": "o", "product_id": "{p}", "user_id": "u", "generation": 4}', "product_id"),
        ('{"id": "o", "product_id": "p", "user_id": "", "generation": 4}', "user_id"),
        (
            '{"id": "o", "product_id": "p", "user_id": "u", "generation": 4, "quantity": 0}',
            "quantity",
        ),
        (
            '{"id": "o", "product_id": "p", "user_id": "u", "generation": 4, "quantity": "1"}',
            "quantity",
        ),
        ('{"id": "o", "product_id": "p", "user_id": "u", "generation": 9}', "generation"),
        ('{"id": "o", "product_id": "p", "user_id": "u", "generation": 4, "x": 1}', "x"),
    ],
)
def test_an_invalid_order_is_rejected_with_the_fields_name(body, named):
    with pytest.raises(InvalidMessage, match=f"not an order: {named}: "):
        orders_of_message(body)


def test_settings_are_read_from_a_mapping():
    settings = Settings.from_mapping({**ENV, "DATABASE_POOL_SIZE": "7"})

    assert (settings.redis_url, settings.database_pool_size) == (ENV["REDIS_URL"], 7)
    assert settings.orders_queue_url == ""


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"REDIS_URL": ""}, "REDIS_URL is not set"),
        ({"REDIS_URL": "localhost:6379"}, "REDIS_URL is malformed"),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL is malformed"),
        ({"ORDERS_QUEUE_URL": "orders"}, "ORDERS_QUEUE_URL is malformed"),
        ({"DATABASE_POOL_SIZE": "0"}, "DATABASE_POOL_SIZE is '0'"),
    ],
)
def test_an_invalid_setting_is_named(change, named):
    with pytest.raises(ConfigError, match=named):
        Settings.from_mapping({**ENV, **change})


def test_an_invalid_setting_does_not_show_its_value():
    with pytest.raises(ConfigError) as caught:
        Settings.from_mapping({**ENV, "DATABASE_URL": "mysql://u:secret@db/x"})

    assert "secret" not in str(caught.value)
