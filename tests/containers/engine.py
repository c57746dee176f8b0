"""A Docker engine for these tests alone: no container of this machine's own is touched.

Its images stay in a folder between runs. Its socket is in a temporary folder, because the path of a
socket may have no more than about 100 characters.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from tenacity import RetryError, retry, retry_if_result, stop_after_delay, wait_fixed

from flashsale_local.console import show

# Debian's packages: the engine, what makes the base of the stand-ins, and the bridge's tool.
PACKAGES = {"dockerd": "docker.io", "docker": "docker.io", "debootstrap": "debootstrap",
            "ip": "iproute2"}  # fmt: skip
BRIDGE, ADDRESS = "flashsale0", "172.28.255.1/24"
# Of the networks of containers.
POOL = "base=172.28.192.0/20,size=24"
USERS_ENGINE = Path("/var/run/docker.sock")
# Seconds until dockerd answers.
START = 60


class NoEngine(Exception):
    """These tests cannot have an engine here; the text says why."""


@contextmanager
def own_engine(folder: Path) -> Iterator[dict[str, str]]:
    """Run dockerd, with its images in `folder`; yield the environment that leads `docker` to it.

    Raises:
        NoEngine: this machine permits none.

    """
    _install_programs()
    if _answers(f"unix://{USERS_ENGINE}"):
        raise NoEngine(
            f"an engine runs at {USERS_ENGINE}, and a second would replace its rules in iptables; "
            "stop it, or set TEST_DOCKER_HOST to use it with the official images"
        )
    folder.mkdir(parents=True, exist_ok=True)
    pid_file, log = folder / "docker.pid", folder / "dockerd.log"
    _end_left_behind(pid_file, folder)
    _make_bridge()
    with tempfile.TemporaryDirectory(prefix="flashsale-docker-") as sockets:
        host = f"unix://{sockets}/docker.sock"
        command = ["dockerd", "--host", host, "--data-root", str(folder / "data"),
                   "--exec-root", f"{sockets}/exec", "--pidfile", str(pid_file),
                   "--bridge", BRIDGE, "--default-address-pool", POOL]  # fmt: skip
        with log.open("w") as output:
            # A group of its own: Ctrl+C must not end it before the containers.
            dockerd = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, process_group=0
            )
        try:
            _await(host, dockerd, log)
            yield environment_of(host, folder)
        finally:
            dockerd.terminate()
            dockerd.wait()
            _remove_bridge()


def environment_of(host: str, folder: Path) -> dict[str, str]:
    """Return the environment with which `docker` asks this engine, and no settings of the user."""
    return {
        **os.environ,
        "DOCKER_HOST": host,
        "DOCKER_CONFIG": str(folder / "config"),
        "DOCKER_BUILDKIT": "1",
        "DOCKER_SOCK": host.removeprefix("unix://"),
        "SAM_CLI_TELEMETRY": "0",
    }


def remove_everything(environment: dict[str, str]) -> None:
    """Remove the containers, networks and volumes of an earlier run; images stay."""
    if containers := _docker(environment, "ps", "--all", "--quiet"):
        _docker(environment, "rm", "--force", "--volumes", *containers)
    _docker(environment, "network", "prune", "--force")
    if volumes := _docker(environment, "volume", "ls", "--quiet"):
        _docker(environment, "volume", "rm", *volumes)


def in_use(environment: dict[str, str]) -> str:
    """Return which containers and volumes of a stack an engine has; "" for none."""
    mine = ["--filter", "label=com.docker.compose.project=flashsale"]
    containers = _docker(environment, "ps", "--all", *mine, "--format", "{{.Names}}")
    return " ".join(containers + _docker(environment, "volume", "ls", *mine, "--quiet"))


def _docker(environment: dict[str, str], *words: str) -> list[str]:
    return subprocess.run(
        ["docker", *words], env=environment, check=True, capture_output=True, text=True
    ).stdout.split()


def _install_programs() -> None:
    missing = sorted({PACKAGES[name] for name in PACKAGES if not shutil.which(name)})
    if os.uname().sysname != "Linux" or os.geteuid():
        raise NoEngine(
            "dockerd needs Linux and root; TEST_DOCKER_HOST may name an engine that runs"
        )
    if missing and not shutil.which("apt-get"):
        raise NoEngine(f"there is no {' and no '.join(missing)}, and no apt-get to install it")
    if missing:
        show(f"Installing {', '.join(missing)} from Debian")
        apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=60"]
        install = [*apt, "install", "-y", "--no-install-recommends", *missing]
        for command in ([*apt, "update"], install):
            done = subprocess.run(
                command, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
                raise NoEngine(f"`{' '.join(command)}` failed: {last}")


def _answers(host: str) -> bool:
    asked = ["docker", "--host", host, "info"]
    return not subprocess.run(asked, capture_output=True, check=False).returncode


def _end_left_behind(pid_file: Path, folder: Path) -> None:
    """End the engine of a run that was killed: two cannot share a folder."""
    try:
        process = psutil.Process(int(pid_file.read_text()))
        if str(folder / "data") in process.cmdline():
            process.send_signal(signal.SIGTERM)
            process.wait(START)
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        pass
    pid_file.unlink(missing_ok=True)


def _make_bridge() -> None:
    _remove_bridge()
    for words in (
        ["link", "add", BRIDGE, "type", "bridge"],
        ["addr", "add", ADDRESS, "dev", BRIDGE],
        ["link", "set", BRIDGE, "up"],
    ):
        done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoEngine(f"`ip {' '.join(words)}` failed: {done.stderr.strip()}")


def _remove_bridge() -> None:
    subprocess.run(["ip", "link", "delete", BRIDGE], capture_output=True, check=False)


def _await(host: str, dockerd: subprocess.Popen[bytes], log: Path) -> None:
    @retry(
        retry=retry_if_result(lambda up: not up), wait=wait_fixed(0.2), stop=stop_after_delay(START)
    )
    def up() -> bool:
        return dockerd.poll() is not None or _answers(host)

    try:
        up()
    except RetryError as error:
        raise NoEngine(f"dockerd does not answer within {START} s; see {log}") from error
    if dockerd.poll() is not None:
        last = (log.read_text().strip().splitlines() or ["it says nothing"])[-1]
        raise NoEngine(f"dockerd ended: {last}")
