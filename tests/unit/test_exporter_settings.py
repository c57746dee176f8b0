"""The environment of the exporter: what it must say, and what an error says."""

import pytest

from flashsale.errors import ConfigError
from flashsale_server.exporter.settings import ExporterSettings

ENV = {
    "REDIS_URL": "redis://redis:6379/0",
    "DATABASE_URL": "postgresql://postgres@postgres:5432/postgres",
    "ORDERS_QUEUE_URL": "https://sqs/1/orders",
    "DEAD_LETTER_QUEUE_URL": "https://sqs/1/orders-dlq",
    "PARKING_QUEUE_URL": "https://sqs/1/orders-parking",
}


def test_addresses_suffice():
    settings = ExporterSettings.from_mapping(ENV)

    assert settings.queues == {
        "orders": ENV["ORDERS_QUEUE_URL"],
        "dlq": ENV["DEAD_LETTER_QUEUE_URL"],
        "parking": ENV["PARKING_QUEUE_URL"],
    }
    assert settings.log_groups["buy"] == "/aws/lambda/flashsale-buy"
    assert (settings.host, settings.port, settings.endpoint_url) == ("127.0.0.1", 9464, "")


def test_queues_of_payments_are_watched_where_there_are_any():
    urls = ("https://sqs/1/payments", "https://sqs/1/payments-dlq")
    names = ("PAYMENTS_QUEUE_URL", "PAYMENTS_DEAD_LETTER_QUEUE_URL")

    queues = ExporterSettings.from_mapping({**ENV, **dict(zip(names, urls, strict=True))}).queues

    assert (queues["payments"], queues["payments-dlq"]) == urls


def test_the_image_asks_for_tokens_which_the_exporter_does_not_check():
    settings = ExporterSettings.from_mapping({**ENV, "AUTH": "jwt", "DATABASE_POOL_SIZE": "8"})

    assert (settings.application.trusted_issuer, settings.application.database_pool_size) == (
        None,
        3,
    )


@pytest.mark.parametrize(
    ("variable", "value", "looks_like"),
    [
        ("REDIS_URL", "", "redis://host:port"),
        ("ORDERS_QUEUE_URL", "", "https://sqs."),
        ("DEAD_LETTER_QUEUE_URL", "", "https://sqs."),
        ("PARKING_QUEUE_URL", "queue", "http://host:port"),
        ("PAYMENTS_QUEUE_URL", "queue", "http://host:port"),
        ("PAYMENTS_DEAD_LETTER_QUEUE_URL", "queue", "http://host:port"),
        ("FLASHSALE_STACK", "a/b", "flashsale"),
        ("FLASHSALE_EXPORTER_PORT", "port", "9464"),
        ("FLASHSALE_EXPORTER_PORT", "65536", "9464"),
        ("EMULATOR", "moto", "ministack, localstack or aws"),
        ("AWS_ENDPOINT_URL", "localhost:4566", "http://host:4566"),
    ],
)
def test_an_error_names_the_variable_and_what_it_should_look_like(variable, value, looks_like):
    with pytest.raises(ConfigError, match=variable) as caught:
        ExporterSettings.from_mapping({**ENV, variable: value})

    assert looks_like in str(caught.value)
