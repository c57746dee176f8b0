"""Builds of one checkout share a folder, so one command at a time builds and deploys."""

import fcntl

from flashsale_local.deployment import deploy


def is_free(lock):
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_another_command_cannot_build_until_the_first_has_deployed(tmp_path, monkeypatch):
    monkeypatch.setattr(deploy, "BUILT", tmp_path / ".aws-sam" / "build")
    lock = tmp_path / ".aws-sam" / "build.lock"

    with deploy.building():
        assert not is_free(lock)

    assert is_free(lock)
