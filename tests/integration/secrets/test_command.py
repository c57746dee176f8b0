"""The output of the command `flashsale`."""

import json
import subprocess
import sys

import pytest

from flashsale.config import Settings
from flashsale_local.deployment import sign_in
from flashsale_local.deployment.target import Target, masked
from tests.integration.secrets.failures import (
    JWT_SECRET,
    PRODUCT,
    assert_no_secret,
    failures,
)

COMMANDS = [
    ["status"],
    ["verify", "--json"],
    ["seed", "--users", "1", "--products", "1"],
    ["open", PRODUCT],
    ["dlq", "ls"],
]
ALL = """
import json, sys, traceback
from flashsale_local import cli

for command in json.loads(sys.argv[1]):
    sys.argv = ["flashsale", *command]
    try:
        cli.main()
    except SystemExit:
        pass
    except Exception:  # as Python itself would
        traceback.print_exc()
    print("ended")
"""


@pytest.mark.parametrize(
    "failure",
    [
        "nothing but SQS",
        "Redis refuses the password",
        "a / in Redis' password",
        "PostgreSQL is down",
        "PostgreSQL refuses the password",
        "a % in PostgreSQL's password",
        "a bug: no such table",
    ],
)
def test_the_command_keeps_secrets(environment, tmp_path, failure):
    changed = {**environment, **failures(environment)[failure]}

    done = subprocess.run(
        [sys.executable, "-c", ALL, json.dumps(COMMANDS)],
        env={**changed, "COLUMNS": "300", "AWS_MAX_ATTEMPTS": "1"},
        cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip

    assert done.stdout.count("ended") == len(COMMANDS), done.stderr
    assert_no_secret(done.stdout + done.stderr)


def test_settings_hide_their_secrets_when_printed():
    settings = Settings.from_mapping(
        {
            "REDIS_URL": "redis://:s3cret@h:1/0",
            "DATABASE_URL": "postgresql://u:s3cret@h:1/d",
            **sign_in.settings("jwt", JWT_SECRET),
        }
    )

    assert_no_secret(repr(settings))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:s3cret@h:1/0", "redis://@h:1/0"),
        ("postgresql://u:s3cret@s3cret@h:1/d?password=s3cret", "postgresql://u@h:1/d"),
        ("postgresql://h:1/d?password=s3cret", "postgresql://h:1/d"),
        ("postgresql://u:s3cret?s3cret@h:1/d", "postgresql://…"),
        ("postgresql://h/d?password=s3cret@s3cret", "postgresql://…"),
        ("", ""),
    ],
)
def test_a_url_is_shown_without_its_password(url, shown):
    assert masked(url) == shown


def test_files_with_urls_are_readable_by_their_owner_only(tmp_path):
    (tmp_path / "target.json").write_text("{}")  # written by an older version

    Target("redis://:s3cret@h", "postgresql://h", "").save(tmp_path)

    assert (tmp_path / "target.json").stat().st_mode & 0o077 == 0
