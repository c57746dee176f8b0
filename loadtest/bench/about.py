"""Describes the code, the machine and the versions of a benchmark."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psycopg
from redis import Redis

from flashsale_local.paths import ROOT
from flashsale_local.stack.versions import emulator_version
from loadtest.bench.results import About
from loadtest.bench.shop import VISIBILITY_TIMEOUT, Shop

PACKAGES = ("fastapi", "granian", "mangum", "uvloop", "redis", "psycopg", "boto3")


def describe(shop: Shop, command: str, repeats: int) -> About:
    """Return what a reader needs to judge the figures."""
    return About(
        commit=commit(),
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        machine=f"{_processor()}, {os.cpu_count()} cores, {_memory()}, {platform.platform()}",
        versions=_versions(shop),
        command=command,
        repeats=repeats,
        seconds=0,
        visibility_timeout=VISIBILITY_TIMEOUT,
    )


def commit() -> str:
    """Return the commit of this code, and whether files differ from it."""
    changed = " with changes" if _git("status", "--porcelain") else ""
    return (_git("rev-parse", "--short=12", "HEAD") or "unknown") + changed


def _versions(shop: Shop) -> dict[str, str]:
    with psycopg.connect(shop.stack.database_url) as connection:
        postgres = connection.info.parameter_status("server_version") or ""
    return {
        "Python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "Valkey": Redis.from_url(shop.stack.redis_url).info("server")["valkey_version"],
        "PostgreSQL": postgres,
        shop.target.emulator: emulator_version(shop.stack.endpoint_url),
    }


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return platform.processor()
    lines = cpuinfo.read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "")


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
