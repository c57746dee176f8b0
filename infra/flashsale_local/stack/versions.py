"""Reads the version of each server of a stack. Each function raises where nothing answers."""

from importlib.metadata import version

import httpx
import psycopg
from redis import Redis

from flashsale.redis_store.relay_inbox import ALIVE
from flashsale_local.stack import exporter
from flashsale_local.stack.program import answers

TIMEOUT = 2


def redis_version(url: str) -> str:
    """Return the version of the Valkey or Redis at this address."""
    info = Redis.from_url(url, socket_timeout=TIMEOUT).info("server")
    return str(info.get("valkey_version") or info["redis_version"])


def postgres_version(url: str) -> str:
    """Return the version of the PostgreSQL at this address."""
    with psycopg.connect(url, connect_timeout=TIMEOUT) as connection:
        return str(connection.info.parameter_status("server_version"))


def emulator_version(url: str) -> str:
    """Return the version that the emulator at this address reports; a dash for AWS (no address)."""
    if not url:
        return "–"
    return str(httpx.get(f"{url}/_localstack/health").json()["version"])


def edge_version(url: str) -> str:
    """Return the web server's version, if the ASGI edge at this address answers."""
    answers(f"{url}/openapi.json")
    return f"granian {version('granian')}"


def relay_version(url: str) -> str:
    """Return a dash, if the relay process that uses the Redis at this address is alive."""
    if not Redis.from_url(url, socket_timeout=TIMEOUT).exists(ALIVE):
        raise ConnectionError
    return "–"


def provider_version(url: str) -> str:
    """Return the version of the server of the fake provider, or of the sign-in, at this address."""
    answers(url)
    return f"uvicorn {version('uvicorn')}"


def exporter_version(url: str) -> str:
    """Return the version of the library that serves the exporter's figures."""
    answers(f"{url}{exporter.ALIVE}")
    return f"client {version('prometheus-client')}"


def grafana_version(url: str) -> str:
    """Return the version of the Grafana at this address."""
    answer = httpx.get(f"{url}/api/health", timeout=TIMEOUT)
    return str(answer.raise_for_status().json().get("version", "–"))


def prometheus_version(url: str) -> str:
    """Return the version of the Prometheus at this address."""
    answer = httpx.get(f"{url}/api/v1/status/buildinfo", timeout=TIMEOUT)
    return str(answer.json()["data"]["version"])
