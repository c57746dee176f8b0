"""The SQL files: what their names promise to the adapter."""

import re
from pathlib import Path

import pytest

from flashsale.postgres_store import database
from flashsale.postgres_store.database import READS, sql

NAMES = sorted(path.stem for path in (Path(database.__file__).parent / "sql").glob("*.sql"))
CHANGES = re.compile(r"\b(INSERT|UPDATE|DELETE|MERGE|FOR SHARE|FOR KEY SHARE|set_config)\b")


def code_of(name):
    return re.sub(r"--.*", "", sql(name))


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(READS)])
def test_a_statement_that_is_named_as_a_reader_only_reads(name):
    """It runs without BEGIN and COMMIT, and may be cancelled at any moment."""
    assert not CHANGES.search(code_of(name))


@pytest.mark.parametrize("name", ["insert_orders", "insert_users"])
def test_a_statement_that_nobody_cancels_limits_its_waits(name):
    (seconds,) = re.findall(r"set_config\('lock_timeout', '(\d+)s', true\)", code_of(name))

    assert 0 < int(seconds) < database.BATCH_SILENCE
