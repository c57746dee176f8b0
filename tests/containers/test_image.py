"""What is in the image, and how it is built."""

import json
import re
import shutil
import subprocess

import pytest

from flashsale_desk.supply import sbom
from flashsale_local.paths import ROOT
from tests.containers.image import IMAGE, Docker
from tests.helpers.image import DOCKERFILE, base_of_image

REVISION = "0123456789abcdef0123456789abcdef01234567"
VALIDATE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
sys.exit(JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read()))
"""


@pytest.fixture(scope="module")
def docker(engine):
    docker = Docker(engine)
    docker.build("--build-arg", f"REVISION={REVISION}")
    return docker


def test_our_layers_are_small(docker):
    base = base_of_image()
    if docker.run("image", "inspect", base).returncode:  # BuildKit keeps a pulled base to itself
        docker("pull", base)

    ours = docker.inspect()["Size"] - docker.inspect(base)["Size"]

    assert ours < 110_000_000


@pytest.mark.parametrize("module", ["pip", "ensurepip", "setuptools"])
def test_nothing_can_be_installed_in_the_image(docker, module):
    assert "No module" in docker.run("run", "--rm", IMAGE, "python", "-m", module).stdout


def test_the_image_has_no_build_tools(docker):
    programs = ("pip", "pip3", "gcc", "cc", "make", "granian", "git", "curl")

    found = docker.python(f"import shutil; print(*filter(None, map(shutil.which, {programs})))")

    assert found.split() == []


def test_the_image_has_no_tests_and_no_code_of_the_laptop(docker):
    code = "import pathlib; print(*pathlib.Path('/srv').rglob('*'), sep='\\n')"

    paths = docker.python(code).splitlines()

    ours = [path for path in paths if not path.startswith("/srv/packages")]
    assert any(path.endswith("/lua/claim.lua") for path in ours)
    assert not [
        path for path in ours if re.search(r"_local|_desk|loadtest|infra/migrations|test", path)
    ]
    assert not [path for path in paths if re.search(r"/tests?(/|$)|conftest", path)]


def test_the_user_can_change_nothing_and_starts_compiled_code(docker):
    code = (
        "import flashsale.config as c, os; print(os.getuid(), os.path.exists(c.__cached__),"
        " *(p for p, _, files in os.walk('/srv') if os.access(p, os.W_OK)"
        " or any(os.access(f'{p}/{f}', os.W_OK) for f in files)))"
    )

    plain = docker("run", "--rm", "--network", "none", IMAGE, "python", "-c", code)

    assert plain.split() == ["65534", "True"]


def test_the_labels_say_what_it_is(docker):
    found = docker.inspect()["Config"]

    labels = {
        name.removeprefix("org.opencontainers.image."): value
        for name, value in found["Labels"].items()
    }
    assert labels["title"] == "flashsale-edge"
    assert labels["licenses"] == "MIT"
    assert labels["revision"] == REVISION
    assert found["User"] == "65534:65534"
    assert set(found["ExposedPorts"]) == {"8000/tcp", "9464/tcp", "9465/tcp"}


def test_a_change_of_the_code_rebuilds_no_packages(docker, tmp_path):
    for part in ("lua", "web", "layers/flashsale", "infra/flashsale_server"):
        shutil.copytree(ROOT / part, tmp_path / part, symlinks=True)
    shutil.copy(ROOT / ".dockerignore", tmp_path)
    with (tmp_path / "layers/flashsale/flashsale/config.py").open("a") as code:
        code.write(f"CHANGED = {str(tmp_path)!r}\n")  # not as in an earlier run

    said = docker.build(folder=str(tmp_path))
    changed = docker.python("from flashsale.config import CHANGED; print(CHANGED)")
    docker.build("--build-arg", f"REVISION={REVISION}")

    assert changed.strip() == str(tmp_path)
    done = dict(re.findall(r"^(#\d+) \[.*?\] (.*)$", said, re.MULTILINE))
    cached = {done[step] for step in re.findall(r"^(#\d+) CACHED$", said, re.MULTILINE)}
    assert [step for step in cached if "pip install" in step]
    assert "COPY --from=packages /packages packages" in cached
    assert "COPY --from=code /srv ." not in cached


def test_every_client_can_be_made(docker):
    """The image has the data of few services of AWS. With the roles, see `test_hardened`."""
    code = (
        "import boto3; [boto3.client(n, region_name='eu-central-1') for n in"
        " ('sqs', 'logs', 'cloudwatch', 'sts', 'sso', 'sso-oidc')]; print('all')"
    )

    options = ("--env", "AWS_ACCESS_KEY_ID=x", "--env", "AWS_SECRET_ACCESS_KEY=x")
    assert docker.python(code, *options).strip() == "all"


def test_the_code_calls_no_other_service_of_aws():
    sources = [
        path.read_text()
        for folder in ("layers/flashsale/flashsale", "infra/flashsale_server")
        for path in (ROOT / folder).rglob("*.py")
    ]

    called = {
        name
        for text in sources
        for name in re.findall(r'(?:boto3\.|create_)client\(\s*"([\w-]+)"', text)
    }
    kept = set(re.findall(r"! -name ([\w-]+)", DOCKERFILE.read_text()))
    assert {"sqs", "logs", "cloudwatch"} <= called <= kept


def test_the_bill_of_materials_is_of_the_image(docker, tmp_path):
    bill = sbom.write_of_image(IMAGE, tmp_path)

    written = json.loads(bill.read_text())
    assert written["metadata"]["component"]["version"] == "1.0.0"
    purls = [part["purl"] for part in written["components"] if "purl" in part]
    listed = docker.python(
        "import importlib.metadata as m;"
        "print(*{d.name for d in m.distributions(path=['/srv/packages'])})"
    )
    assert sum(purl.startswith("pkg:pypi/") for purl in purls) == len(listed.split())
    debian = docker("run", "--rm", IMAGE, "dpkg-query", "-W", "-f", "${Package}@${Version}\n")
    assert sum(purl.startswith("pkg:deb/debian/") for purl in purls) == len(debian.split())
    command = [str(sbom.AUDIT_BIN / "python"), "-c", VALIDATE, str(bill)]
    subprocess.run(command, check=True)
