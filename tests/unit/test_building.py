"""Builds of one checkout share a folder, so one command at a time builds and deploys."""

import subprocess
import sys

from flashsale_local.deployment import deploy
from tests.helpers.locks import is_locked


def test_another_command_cannot_build_until_the_first_has_deployed(tmp_path, monkeypatch):
    monkeypatch.setattr(deploy, "BUILT", tmp_path / ".aws-sam" / "build")
    lock = tmp_path / ".aws-sam" / "build.lock"

    with deploy.building():
        assert is_locked(lock)

    assert not is_locked(lock)


def test_a_command_that_waits_for_another_build_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(deploy, "BUILT", tmp_path / "build")
    code = (
        "import sys; from pathlib import Path; from flashsale_local.deployment import deploy\n"
        "deploy.BUILT = Path(sys.argv[1])\n"
        "with deploy.building(): print('builds')"
    )
    command = [sys.executable, "-c", code, str(deploy.BUILT)]

    with deploy.building():
        other = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert other.stderr.readline() == (
            "Another command builds in this checkout. This one waits for it.\n"
        )
        assert other.poll() is None

    assert other.communicate() == ("builds\n", "")
