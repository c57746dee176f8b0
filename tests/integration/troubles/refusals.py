"""States in which a real server rejects requests. Each ends with its block."""

import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from flashsale_local.stack.program import free_port
from tests.helpers.support import eventually


@contextmanager
def configured(redis, **values):
    names = {name.replace("_", "-"): value for name, value in values.items()}
    before = {name: redis.config_get(name)[name] for name in names}
    for name, value in names.items():
        redis.config_set(name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            redis.config_set(name, value)


@contextmanager
def misconf(redis):
    """Make snapshots fail: a folder has the name of the file."""
    (Path(redis.config_get("dir")["dir"]) / "dump.rdb").mkdir(exist_ok=True)
    with configured(redis, save="3600 1", stop_writes_on_bgsave_error="yes"):
        with suppress(RedisError):
            redis.bgsave()
        eventually(lambda: redis.info("persistence")["rdb_last_bgsave_status"] == "err")
        yield


@contextmanager
def noreplicas(redis):
    with configured(redis, min_replicas_to_write=1):
        yield


@contextmanager
def out_of_memory(redis):
    with configured(redis, maxmemory=1, maxmemory_policy="noeviction"):
        yield


@contextmanager
def busy(redis):
    """Run an endless script on another connection."""
    with (
        configured(redis, busy_reply_threshold=50),
        Redis(**_address(redis)) as other,
    ):

        def spin():
            with suppress(RedisError):
                other.eval("while true do end", 0)

        spinning = threading.Thread(target=spin, daemon=True)
        spinning.start()
        eventually(lambda: _says_busy(redis))
        try:
            yield
        finally:
            redis.script_kill()
            spinning.join()


def _address(redis):
    known = redis.connection_pool.connection_kwargs
    return {"host": known["host"], "port": known["port"]}


def _says_busy(redis):
    try:
        redis.ping()
    except RedisError as error:
        return "BUSY" in str(error)
    time.sleep(0.02)
    return False


@contextmanager
def readonly(redis):
    """Make it a replica, as after a failover."""
    redis.replicaof("127.0.0.1", free_port())
    try:
        yield
    finally:
        redis.replicaof("NO", "ONE")


@contextmanager
def masterdown(redis):
    with configured(redis, replica_serve_stale_data="no"), readonly(redis):
        yield


@contextmanager
def noperm(redis):
    """Remove a right that the application needs."""
    redis.acl_setuser("default", enabled=True, nopass=True, keys=["*"], categories=["+@all"],
                      commands=["-evalsha", "-set"])  # fmt: skip
    try:
        yield
    finally:
        redis.execute_command("ACL", "SETUSER", "default", "+@all")


REDIS_REFUSALS = {
    "MISCONF": misconf,
    "NOREPLICAS": noreplicas,
    "OOM": out_of_memory,
    "BUSY": busy,
    "READONLY": readonly,
    "MASTERDOWN": masterdown,
    "NOPERM": noperm,
}


@contextmanager
def read_only_postgresql(url):
    """Make PostgreSQL answer 25006, as after a failover to a replica."""
    with psycopg.connect(
        url, autocommit=True, options="-c default_transaction_read_only=off"
    ) as connection:

        def set_to(value):
            connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
            connection.execute("SELECT pg_reload_conf()")
            with psycopg.connect(url) as other:
                eventually(lambda: _read_only(other) == value)

        try:
            set_to("on")
            yield
        finally:
            set_to("off")
            connection.execute("ALTER SYSTEM RESET default_transaction_read_only")
            connection.execute("SELECT pg_reload_conf()")


def _read_only(connection):
    value = connection.execute("SHOW default_transaction_read_only").fetchone()[0]
    connection.rollback()
    return value
