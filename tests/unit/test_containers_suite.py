"""What `make test-containers` does where it can have no engine, and which images it makes."""

import os
import re

import pytest
import yaml

from flashsale_local.paths import ROOT
from tests.containers import __main__ as suite
from tests.containers import engine, stand_ins


def run(monkeypatch, capsys):
    monkeypatch.delenv("TEST_DOCKER_HOST", raising=False)
    status = suite.main([])
    (line,) = capsys.readouterr().out.splitlines()
    return status, line


def test_without_root_it_says_so_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    status, line = run(monkeypatch, capsys)

    assert status == os.EX_UNAVAILABLE
    assert "not run: dockerd needs Linux and root" in line
    assert "TEST_DOCKER_HOST" in line, "the way out"


def test_without_an_engine_and_apt_get_it_says_so_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(engine.shutil, "which", lambda _: None)

    status, line = run(monkeypatch, capsys)

    assert status == os.EX_UNAVAILABLE
    assert "there is no debootstrap and no docker.io" in line


def test_the_engine_of_the_user_is_left_alone(monkeypatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(engine, "_install_programs", lambda: None)
    monkeypatch.setattr(engine, "_answers", lambda host: host.endswith("/var/run/docker.sock"))

    status, line = run(monkeypatch, capsys)

    assert status == os.EX_UNAVAILABLE
    assert "TEST_DOCKER_HOST" in line


@pytest.mark.parametrize("required", [True, False])
def test_a_missing_engine_is_a_failure_in_ci_only(required):
    (rule,) = re.findall(r"tests\.containers .*?\|\| \{(.*)\}", (ROOT / "Makefile").read_text())
    rule = rule.replace("$$?", "69").replace("$(CONTAINERS)", "required" if required else "")

    assert (os.system(f"{{ {rule} }}") != 0) is required
    assert "CONTAINERS=required step test-containers" in (ROOT / ".ci" / "run").read_text()


def test_each_official_image_has_a_stand_in():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    official = {one["image"] for one in services.values()} - {"flashsale-edge"}

    made = {one.tag: one for one in stand_ins.stand_ins()}

    assert official | {stand_ins.lambda_image()} == made.keys()
    for one in made.values():
        assert (stand_ins.RECIPES / one.recipe / "Dockerfile").is_file()
