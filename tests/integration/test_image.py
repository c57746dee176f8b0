"""The container image of the ASGI edge, as far as it can be checked without Docker."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from infra.paths import ROOT
from infra.stack.edge import APP, GRANIAN

DOCKERFILE = (ROOT / "infra" / "edge" / "Dockerfile").read_text()


@pytest.fixture
def image(tmp_path):
    """A folder with what the Dockerfile copies, and nothing else."""
    for source, target in re.findall(r"^COPY (\S+) (\S+)$", DOCKERFILE, re.MULTILINE):
        (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, tmp_path / target, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy(ROOT / source, tmp_path / target)
    return tmp_path


@pytest.mark.parametrize("module", ["infra.edge.app", "infra.edge.relay"])
def test_what_is_copied_suffices(image, module):
    code = f"import {module}, flashsale, infra; print(flashsale.__file__, infra.__file__)"
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{image}:{image / 'layers' / 'flashsale'}",
        "PROMETHEUS_MULTIPROC_DIR": str(image),
    }

    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment, cwd=image, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout.count(str(image)) == 2, "not the checkout's own"


def test_the_scripts_are_reached(image):
    assert (image / "layers/flashsale/flashsale/lua/claim.lua").is_file()


def test_the_image_serves_as_the_local_stack_does():
    (command,) = re.findall(r"^CMD (\[.*?\])$", DOCKERFILE, re.MULTILINE | re.DOTALL)
    words = json.loads(command.replace("\\\n", ""))

    assert words[1:] == [*GRANIAN[2:], APP]
