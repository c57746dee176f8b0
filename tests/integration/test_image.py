"""The container image of the server processes, as far as it can be checked without Docker."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
from cfnlint.decode import decode

from flashsale_desk.supply import sbom
from flashsale_local.paths import ROOT
from flashsale_local.stack.edge import SERVE

DOCKERFILE = (ROOT / "infra" / "flashsale_server" / "Dockerfile").read_text()


@pytest.fixture
def image(tmp_path):
    """Return a folder with only the files that the Dockerfile copies to /srv."""
    for source, target in re.findall(r"^COPY (\S+) /srv/(\S+)$", DOCKERFILE, re.MULTILINE):
        (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(ROOT / source, tmp_path / target, symlinks=True, dirs_exist_ok=True)
    return tmp_path


@pytest.mark.parametrize(
    "module",
    [
        "flashsale_server.edge.__main__",
        "flashsale_server.edge.app",
        "flashsale_server.edge.relay",
        "flashsale_server.exporter.__main__",
    ],
)
def test_the_copied_files_are_sufficient(image, module):
    code = (
        f"import {module}, flashsale, flashsale_server as s; print(flashsale.__file__, s.__file__)"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{image}/layers/flashsale:{image}/infra",
    }

    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment, cwd=image, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout.count(str(image)) == 2, "the modules must not come from the checkout"


def test_four_folders_are_copied():
    copied = set(re.findall(r"^COPY (\S+) \S+$", DOCKERFILE, re.MULTILINE))

    folders = {source for source in copied if (ROOT / source).is_dir()}
    assert folders == {"lua", "web", "layers/flashsale/flashsale", "infra/flashsale_server"}
    assert copied - folders == {"infra/flashsale_server/requirements.txt"}


def test_the_lua_scripts_are_found(image):
    assert (image / "layers/flashsale/flashsale/redis_store/lua/claim.lua").is_file()


def test_the_page_of_the_shop_is_found(image):
    code = (
        "from flashsale_server.edge import shop_front as front;"
        " print(front._page().content.decode(), *front._files())"
    )
    environment = {"PYTHONPATH": f"{image}/layers/flashsale:{image}/infra"}

    told = subprocess.run(
        [sys.executable, "-c", code],
        env=environment, cwd=image, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip

    assert "draw.js" in told
    assert (ROOT / "web" / "shop.html").read_text() in told


def test_the_image_serves_as_the_local_stack_does():
    (command,) = re.findall(r"^CMD (\[.*?\])$", DOCKERFILE, re.MULTILINE | re.DOTALL)
    words = json.loads(command.replace("\\\n", ""))

    assert words == ["python", *SERVE]


def test_the_base_image_is_pinned_to_one_release():
    (default,) = re.findall(r"^ARG PYTHON=(\S+)$", DOCKERFILE, re.MULTILINE)

    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert bases == ["${PYTHON}"] * 3
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", default)


def test_image_and_functions_run_the_same_python():
    (image,) = re.findall(r"^ARG PYTHON=python:(3\.\d+)\.", DOCKERFILE, re.MULTILINE)

    parameters = decode(str(ROOT / "template.yaml"))[0]["Parameters"]
    assert parameters["PythonRuntime"]["Default"] == f"python{image}"
    assert image == sbom.PYTHON


def test_the_image_does_not_run_as_root():
    user = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)[-1]

    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user), (
        "a number, because Kubernetes cannot check a name"
    )
    assert "chown=" not in DOCKERFILE, "the user must not be able to change the code"


def test_the_image_downloads_only_packages_with_hashes():
    runs = re.findall(r"^RUN (.*)$", DOCKERFILE, re.MULTILINE)

    assert [run for run in runs if "install" in run] == [
        "pip install --no-cache-dir --require-hashes --target /packages -r /tmp/requirements.txt"
    ]
    assert not re.search(r"^ADD |curl|wget|apt", DOCKERFILE, re.MULTILINE)
    copied = re.findall(r"^COPY (\S+) ", DOCKERFILE, re.MULTILINE)
    assert not [source for source in copied if source.startswith((".", "tests", "requirements"))]


def test_the_image_asks_buyers_for_a_token_by_default():
    assert re.search(r"^ +AUTH=jwt\b", DOCKERFILE, re.MULTILINE)


def test_no_secret_is_baked_into_the_image():
    assert not re.findall(r"^(?:ENV|ARG).*(?:PASSWORD|SECRET|TOKEN|_URL)", DOCKERFILE, re.MULTILINE)
    left_out = (ROOT / ".dockerignore").read_text().split()
    assert "*" in left_out, "the build context has only listed files"


def test_the_build_context_has_all_copied_files():
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"]
    copied = re.findall(r"^COPY ([^-]\S*) ", DOCKERFILE, re.MULTILINE)

    kept_out = [s for s in copied if not any(f"{s}/".startswith(f"{name}/") for name in let_in)]
    assert not kept_out


def test_the_image_shows_metrics_to_other_containers():
    assert "FLASHSALE_METRICS_HOST=0.0.0.0" in DOCKERFILE
    (ports,) = re.findall(r"^EXPOSE (.*)$", DOCKERFILE, re.MULTILINE)
    assert ports.split() == [
        re.findall(rf" {name}=(\d+)", DOCKERFILE)[0]
        for name in ("GRANIAN_PORT", "FLASHSALE_EXPORTER_PORT", "FLASHSALE_RELAY_PORT")
    ]


def test_the_image_has_the_version_and_licence_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    labels = dict(re.findall(r'opencontainers\.image\.(\w+)="(.*?)"', DOCKERFILE))
    assert labels["version"] == project["version"]
    assert labels["licenses"] == project["license"]
    assert labels["revision"] == "${REVISION}"


def test_what_changes_most_often_is_copied_last():
    """Then a change of the code rebuilds none of the layers with packages."""
    steps = ("rm -rf", "COPY --from=packages", "COPY --from=code", "ARG REVISION")

    places = [DOCKERFILE.index(step) for step in steps]
    assert places == sorted(places)
