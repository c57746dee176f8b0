"""Commands report names that do not exist, and never succeed for them."""

from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from flashsale.config import Settings
from flashsale.postgres_store.migrations import migrate
from flashsale.services import Services
from flashsale_local.paths import MIGRATIONS


@pytest.fixture
async def empty_shop(target):
    """Return the URL of a database without products."""
    with psycopg.connect(target.database_url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS empty_shop")
        connection.execute("CREATE DATABASE empty_shop")
    url = urlunsplit(urlsplit(target.database_url)._replace(path="/empty_shop"))
    services = Services(Settings(redis_url=target.redis_url, database_url=url))
    await migrate(services.database, MIGRATIONS)
    await services.close()
    return url


@pytest.mark.parametrize("asked", [["verify"], ["verify", "--json"], ["verify", "--wait", "1"]])
async def test_verify_reports_a_shop_without_products(flashsale, empty_shop, asked):
    done = flashsale(*asked, DATABASE_URL=empty_shop)

    assert (done.returncode, done.stdout) == (2, "")
    assert "There are no products" in done.stderr
    assert "flashsale seed" in done.stderr


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["open", "nope"], "No such product: nope"),
        (["open", ""], "No such product: "),
        (["rebuild", "nope"], "No such product: nope"),
        (["logs", "nope"], "There is no function 'nope'"),
        (["logs", "--order", ""], "--order names no order"),
        (["dlq", "peek", "nope"], "'nope' is not a queue of failed messages"),
        (["dlq", "redrive", "nope"], "'nope' is not a queue of failed messages"),
    ],
)
def test_names_that_do_not_exist_are_reported(flashsale, asked, words):
    done = flashsale(*asked)

    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr


async def test_open_reports_an_empty_shop(flashsale, empty_shop):
    done = flashsale("open", DATABASE_URL=empty_shop)

    assert (done.returncode, done.stdout) == (1, "")
    assert "There are no products" in done.stderr
