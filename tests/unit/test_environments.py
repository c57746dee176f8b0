"""The Makefile's environments: what each has, and what the first run says."""

import ast
import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest

from flashsale_local.paths import ROOT

REQUIREMENTS = ROOT / "requirements"
# What runs after `make demo`, without the tests and checks.
RUNS = (
    "functions",
    "layers/flashsale/flashsale",
    "infra/flashsale_local",
    "infra/flashsale_server",
    "infra/flashsale_desk/scaling",
    "loadtest/spike",
)
OURS = {"flashsale", "flashsale_local", "flashsale_server", "flashsale_desk", "loadtest"}


def _pins(name):
    text = (REQUIREMENTS / f"{name}.txt").read_text()
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[[^]]*\])?==([^ ]+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", ["run", "uv"])
def test_what_shares_an_environment_has_the_same_pins(name):
    tested = _pins("dev")
    pins = _pins(name)

    assert pins
    assert pins.items() <= tested.items()


def _imports(path):
    """Yield what a module imports when it runs."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module)


@pytest.mark.parametrize("folder", RUNS)
def test_what_runs_after_the_demo_imports_only_what_the_demo_installs(folder):
    installed, distributions = _pins("run"), packages_distributions()
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files

    imported = {name.partition(".")[0]: path for path in files for name in _imports(path)}
    missing = {
        name: path
        for name, path in imported.items()
        if name not in sys.stdlib_module_names | OURS
        and not {d.lower().replace("_", "-") for d in distributions.get(name, [])} & set(installed)
    }

    assert not missing


@pytest.fixture(autouse=True)
def _as_from_a_shell(monkeypatch):
    """Forget that `make test` may run this: its make would tell the folder to the make inside."""
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def checkout(tmp_path):
    """A checkout without environments."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(REQUIREMENTS, tmp_path / "requirements")
    return tmp_path


def _plan(checkout, target):
    """Return the commands that make would run."""
    command = ["make", "--dry-run", target]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True).stdout


def test_a_first_run_says_what_it_costs_and_a_second_run_does_not(checkout):
    first = _plan(checkout, "demo")
    for stamp in (".venv/.uv", ".venv/.run", ".venv-emulator/.installed"):
        (checkout / stamp).parent.mkdir(exist_ok=True)
        (checkout / stamp).touch()
    second = _plan(checkout, "demo")

    assert re.search(r"The first run downloads \d+ MB", first)
    assert "requirements/run.txt" in first
    assert "requirements/dev.txt" not in first
    assert [
        line for line in second.splitlines() if "test -n" not in line and "on Debian" not in line
    ] == [".venv/bin/flashsale demo"]


@pytest.mark.parametrize("target", ["test-fast", "lint", "bench"])
def test_tests_and_checks_install_their_own_packages(checkout, target):
    assert "requirements/install .venv requirements/dev.txt" in _plan(checkout, target)


@pytest.mark.parametrize("name", ["emulator", "load", "audit", "checks"])
def test_each_environment_is_made_from_its_own_file(checkout, name):
    plan = _plan(checkout, f".venv-{name}/.installed")

    assert f"requirements/install .venv-{name} requirements/{name}.txt" in plan


def test_clean_deletes_data_and_build_and_keeps_environments(checkout):
    (checkout / ".local" / "valkey").mkdir(parents=True)
    (checkout / ".aws-sam").mkdir()
    (checkout / ".venv").mkdir()

    said = subprocess.run(
        ["make", "clean"], cwd=checkout, capture_output=True, text=True, check=True
    ).stdout

    assert not (checkout / ".local").exists()
    assert not (checkout / ".aws-sam").exists()
    assert (checkout / ".venv").exists()
    assert re.search(r"Deleted \.local .*\.aws-sam .*Kept .*\.venv", said)


def test_help_lists_every_target_in_groups_and_the_first_ones_first():
    said = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    targets = set(re.findall(r"^([a-z0-9-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))

    groups = [group.splitlines() for group in said.strip().split("\n\n")]

    assert groups[0][0] == "Start here"
    assert [line.split()[1] for line in groups[0][1:]] == ["demo", "shop", "test"]
    assert {line.split()[1] for _, *lines in groups for line in lines} == targets
    assert all(not heading.startswith(" ") for heading, *_ in groups)


def test_installing_shows_downloads_and_passes_the_status_on(tmp_path):
    (tmp_path / "requirements").mkdir()
    shutil.copy(REQUIREMENTS / "install", tmp_path / "requirements")
    uv = tmp_path / ".venv" / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    uv.write_text(
        "#!/bin/sh\necho 'Downloading botocore (15.5MiB)' >&2\necho ' + botocore==1.0' >&2\n"
        "echo 'error: no hash' >&2\nexit 3\n"
    )
    uv.chmod(0o755)

    done = subprocess.run(
        ["requirements/install", ".venv", "x.txt"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 3
    assert "botocore (15.5MiB)" in done.stderr
    assert "error: no hash" in done.stderr
    assert "==" not in done.stderr
