"""Stores with passwords, an SQS that rejects all calls, and an environment with secrets."""

import asyncio
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import psycopg
import pytest
from redis import Redis

from flashsale.services import Services
from flashsale_local.deployment import sign_in
from flashsale_local.paths import SOURCE_ROOTS
from flashsale_local.sale.seed import seed
from tests.helpers.support import POLL
from tests.integration.secrets.failures import (
    AWS_SECRET,
    DATABASE_PASSWORD,
    JWT_SECRET,
    OF_OTHERS,
    PRODUCT,
    PROVIDER_KEY,
    REDIS_PASSWORD,
    ROOM_SECRET,
    USER,
    WEBHOOK_SECRET,
)


@pytest.fixture(scope="module")
def locked(stack, migrated):
    """Return the stores with a user of Valkey and a role of PostgreSQL that have passwords."""
    with Redis.from_url(migrated.redis_url) as redis:
        redis.acl_setuser(
            USER, enabled=True, passwords=[f"+{REDIS_PASSWORD}"], keys="*", channels="*",
            commands=["+@all"],
        )  # fmt: skip
        rules = stack.directory / "postgres" / "pg_hba.conf"
        before = rules.read_text()
        rules.write_text(f"host all {USER} 127.0.0.1/32 scram-sha-256\n{before}")
        with psycopg.connect(migrated.database_url, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {USER} LOGIN SUPERUSER PASSWORD '{DATABASE_PASSWORD}'")
            connection.execute("SELECT pg_reload_conf()")
            redis_at, database_at = urlsplit(migrated.redis_url), urlsplit(migrated.database_url)
            yield {
                "REDIS_URL": f"redis://{USER}:{REDIS_PASSWORD}@{redis_at.hostname}:{redis_at.port}/0",
                "DATABASE_URL": f"postgresql://{USER}:{DATABASE_PASSWORD}@{database_at.hostname}:"
                f"{database_at.port}/postgres",
            }
            connection.execute(f"DROP ROLE {USER}")
            rules.write_text(before)
            connection.execute("SELECT pg_reload_conf()")
        redis.acl_deluser(USER)


@pytest.fixture(scope="module")
def sqs():
    """Serve an AWS that rejects each call with a reason."""

    class Refusing(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            why = "User: arn:aws:iam::0:role/r is not authorized to perform: this"
            if "json" in self.headers["content-type"]:
                text = json.dumps({"__type": "AccessDeniedException", "message": why})
            else:  # CloudFormation
                error = f"<Error><Code>AccessDenied</Code><Message>{why}</Message></Error>"
                text = f"<ErrorResponse>{error}</ErrorResponse>"
            answer = text.encode()
            self.send_response(403)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, args=(POLL,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def environment(locked, sqs):
    """Return the environment of a function or the edge, with all secrets."""
    return {
        **os.environ,
        **locked,
        "PYTHONPATH": SOURCE_ROOTS,
        "PYTHONUNBUFFERED": "1",
        "ORDERS_QUEUE_URL": f"{sqs}/000000000000/orders",
        "PAYMENTS_QUEUE_URL": f"{sqs}/000000000000/payments",
        "WEBHOOK_SECRETS": WEBHOOK_SECRET,
        "PROVIDER_URL": sqs,
        "PROVIDER_KEY": PROVIDER_KEY,
        "ROOM_SECRET": ROOM_SECRET,
        "AWS_ENDPOINT_URL": sqs,
        "AWS_SECRET_ACCESS_KEY": AWS_SECRET,
        "AWS_SESSION_TOKEN": f"{AWS_SECRET}-session",
        "POWERTOOLS_LOG_LEVEL": "DEBUG",
        **sign_in.settings("none", JWT_SECRET),
    }


@pytest.fixture(scope="module")
def on_sale(migrated):
    async def prepare():
        services = Services(migrated)
        products = [PRODUCT, *(purchase["productId"] for purchase in OF_OTHERS.values())]
        await seed(services, [], products, 1000)
        for product_id in products:
            await services.stock.open_sale(product_id, 1000)
        await services.close()

    asyncio.run(prepare())
