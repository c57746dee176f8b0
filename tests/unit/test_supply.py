"""The supply chain: pins with hashes, compatible licences, and the audit."""

import re
import subprocess
import sys
from importlib.metadata import files

import pytest

from flashsale_desk.supply import audit, licences
from flashsale_desk.supply.pins import SHIPPED, TOOLS, read_pins
from flashsale_local.paths import ROOT
from flashsale_local.problems import Problem

HASH = "--hash=sha256:" + 64 * "0"


@pytest.mark.parametrize("path", [*SHIPPED.values(), *TOOLS], ids=str)
def test_every_pin_has_a_hash_and_no_file_has_a_url(path):
    assert read_pins(path)


def test_every_function_and_layer_with_packages_is_known():
    assert {"layers-flashsale", "layers-tracing", "functions-buy", "infra-flashsale_server"} <= set(
        SHIPPED
    )


@pytest.mark.parametrize(
    "line",
    [
        "requests==2.0",
        f"requests>=2.0 {HASH}",
        f"requests==2.* {HASH}",
        f"requests==2.0 --hash=sha256:{'0' * 63}",
        f"requests @ https://example.org/requests.whl {HASH}",
        "--index-url https://example.org/simple",
        "--extra-index-url https://example.org/simple",
        "https://example.org/requests.whl",
        "git+https://example.org/requests",
        "-e .",
        "-r other.txt",
    ],
)
def test_other_lines_are_rejected(line, tmp_path, monkeypatch):
    monkeypatch.setattr("flashsale_desk.supply.pins.ROOT", tmp_path)
    path = tmp_path / "requirements.txt"
    path.write_text(f"idna==3.0 \\\n    {HASH}\n{line}\n")

    with pytest.raises(Problem, match="not a pin with a hash"):
        read_pins(path)


def test_shipped_packages_may_be_shipped_and_are_on_the_page():
    assert licences.PAGE.read_text() == licences.page(), "run `make licences`"


def test_copyleft_licences_are_rejected():
    assert not licences.is_allowed("GPL-3.0-only")
    assert not licences.is_allowed("AGPL-3.0-only AND MIT")
    assert licences.is_allowed("GPL-2.0-only OR MIT"), "one of two licences is enough"


def test_a_package_under_another_licence_is_rejected(monkeypatch):
    monkeypatch.delitem(licences.ALLOWED, "LGPL-3.0-only")

    with pytest.raises(Problem, match=r"psycopg is under LGPL-3\.0-only"):
        licences.page()


def test_the_page_names_every_library_bundled_in_a_wheel():
    page = licences.PAGE.read_text()

    for package in licences.shipped():
        for file in files(package) or ():
            if file.parent.name.endswith(".libs"):
                name = re.match(r"lib[a-z]+(_[a-z]+)?[0-9]?[a-z]*(_[a-z0-9]+)?", file.name)[0]
                assert re.search(rf"\b{name}\b", page), f"{package} bundles {file.name}"


@pytest.fixture
def knows(monkeypatch, tmp_path):
    """Return a function that installs a pip-audit with fixed answers: file -> pins."""

    def answer(canary, pins, stderr=""):
        fake = tmp_path / "pip-audit"
        fake.write_text(
            f"#!{sys.executable}\n"
            "import json, sys\n"
            f"pins = {pins!r} if '--require-hashes' in sys.argv else {canary!r}\n"
            f"found = [p for path, p in pins if path == '*' or path in sys.argv]\n"
            f"print({stderr!r}, file=sys.stderr)\n"
            f"if not {stderr!r}: print(json.dumps(dict(dependencies=found, fixes=[])))\n"
        )
        fake.chmod(0o755)
        monkeypatch.setattr(audit, "AUDIT", fake)
        return audit.main()

    return answer


def pin(name, *vulnerabilities):
    return {"name": name, "version": "1", "vulns": [{"id": id_} for id_ in vulnerabilities]}


SEES = [("*", pin("requests", "CVE-2018-18074"))]
LAYER, DEV = str(SHIPPED["layers-flashsale"]), str(TOOLS[0])


def test_an_audit_that_finds_nothing_ends_with_0(knows, capsys):
    assert knows(SEES, [("*", pin("idna"))]) == 0
    assert "0 shipped, 0 in all" in capsys.readouterr().out


def test_a_vulnerability_in_what_we_ship_ends_with_1(knows, capsys):
    assert knows(SEES, [(LAYER, pin("redis", "CVE-1"))]) == 1
    assert "SHIPPED: redis 1: CVE-1" in capsys.readouterr().out


def test_a_vulnerability_in_tools_is_reported(knows, capsys):
    assert knows(SEES, [(DEV, pin("moto", "CVE-2"))]) == 0
    assert "tools only: moto 1: CVE-2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("canary", "pins", "stderr", "why"),
    [
        ([("*", {"name": "requests", "skip_reason": "not found"})], [], "", "1 of 1 pins"),
        ([("*", pin("requests"))], [], "", "has none about requests"),
        (SEES, [("*", {"name": "idna", "skip_reason": "not found"})], "", "not found"),
        ([], [], "Traceback\nConnectionError: no route", "ConnectionError: no route"),
    ],
    ids=["canary skipped", "canary unknown", "pins skipped", "crash"],
)
def test_an_audit_that_fails_says_so_and_ends_with_3(knows, capsys, canary, pins, stderr, why):
    assert knows(canary, pins, stderr) == 3
    said = capsys.readouterr().out
    assert why in " ".join(said.split())
    assert "AUDIT=strict" in said


@pytest.mark.parametrize(("mode", "status"), [("", 0), ("strict", 2)])
def test_only_the_strict_audit_fails_if_it_cannot_run(mode, status, tmp_path):
    recipe = re.search(r"^audit:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)[
        1
    ]
    (tmp_path / "Makefile").write_text(f"BIN := .\naudit:\n{recipe}")
    (tmp_path / "python").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "python").chmod(0o755)

    done = subprocess.run(["make", "audit", f"AUDIT={mode}"], cwd=tmp_path, check=False)

    assert done.returncode == status
