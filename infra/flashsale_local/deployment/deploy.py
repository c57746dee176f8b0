"""Builds and deploys `template.yaml` with SAM, and migrates the database."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import boto3
from botocore.config import Config

from flashsale_local.console import errors
from flashsale_local.deployment import sign_in
from flashsale_local.deployment.target import Target
from flashsale_local.paths import LOCALSTACK_VENV, ROOT
from flashsale_local.problems import Problem

# Execution environments of buy on the emulator. Each is a process, and a laptop has few cores.
LOCAL_BUY_CONCURRENCY = 8

# HOLD_GRACE on a laptop, where the message of a payment takes less than a second.
LOCAL_HOLD_GRACE = "5"

# LocalStack has its own Python. ministack uses the Python that runs this.
LOCALSTACK_PYTHON = "3.13"

BUILT = ROOT / ".aws-sam" / "build"


def local_parameters(target: Target) -> dict[str, str]:
    """Return the template parameters for the emulator."""
    on_localstack = target.emulator == "localstack"
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {
        "PythonRuntime": f"python{LOCALSTACK_PYTHON if on_localstack else own}",
        "FrontDoor": "function-url" if on_localstack else "http-api",
        "Architecture": "arm64" if os.uname().machine in ("arm64", "aarch64") else "x86_64",
        "RedisUrl": target.redis_url,
        "DatabaseUrl": target.database_url,
        "BuyReservedConcurrency": str(LOCAL_BUY_CONCURRENCY),
        "HoldGrace": hold_grace(),
        "Auth": target.auth,
        "JwtIssuer": sign_in.ISSUER,
        "JwtAudience": sign_in.AUDIENCE,
        "JwtSecret": target.token_secret,
        "WebhookSecrets": target.webhook_secret,
        "ProviderUrl": target.provider_url,
        "ProviderKey": target.provider_key if target.provider_url else "",
        "RoomSecrets": target.room_secret,
        **{sign_in.LIMITS[name]: value for name, value in sign_in.limits(os.environ).items()},
    }


def hold_grace() -> str:
    """Return the HOLD_GRACE of a local stack: that of this environment, or a short one."""
    return os.environ.get("HOLD_GRACE") or LOCAL_HOLD_GRACE


@contextmanager
def building() -> Iterator[None]:
    """Let one process at a time build and deploy, because all builds of a checkout share a folder.

    Another one says so, and waits here until the block has ended.
    """
    BUILT.parent.mkdir(exist_ok=True)
    with (BUILT.parent / "build.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            errors.print("Another command builds in this checkout. This one waits for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(env: str, parameters: Mapping[str, str], log: Path, *, flat: bool = False) -> None:
    """Run `sam build`. It needs the network only when a requirements file has changed.

    Args:
        flat: copy the layer into each function, for an emulator without support for layers.

    """
    # The local stack sends no traces. SAM builds a layer even if no function has it.
    without = ["--exclude", "TracingLayer"] if env == "local" else []
    _sam(["build", "--config-env", env, *without, *_overrides(parameters)], log)
    _slim()
    if flat:
        _flatten()
    _compile(parameters.get("PythonRuntime", ""))


def _flatten() -> None:
    """Copy the layer into each function. An empty layer stays, so the template needs no change."""
    layer = BUILT / "SharedLayer" / "python"
    for function in BUILT.glob("*Function"):
        shutil.copytree(layer, function, dirs_exist_ok=True)
    shutil.rmtree(layer)
    layer.mkdir()
    (layer / "README").write_text("Its content was copied into the functions.\n")


def _compile(runtime: str) -> None:
    """Add bytecode for the functions' Python, because compiling is a third of an import."""
    python = LOCALSTACK_VENV / "bin" / "python"
    if runtime != f"python{LOCALSTACK_PYTHON}" or not python.exists():
        python = Path(sys.executable)
    # By hash, because zipping changes the files' times. Unchecked, because the files never change.
    mode = ["--invalidation-mode", "unchecked-hash", "-j", "0", "-qq"]
    subprocess.run([str(python), "-m", "compileall", *mode, str(BUILT)], check=False)


def _slim() -> None:
    """Remove from each function what the layer has, too. This makes cold starts shorter.

    It is a third of a package. `sam deploy` also works without this step.
    """
    layer = BUILT / "SharedLayer" / "python"
    # Only FastAPI imports it, and only to reject its models.
    shutil.rmtree(layer / "pydantic" / "v1", ignore_errors=True)
    in_layer = {path.name for path in layer.iterdir()}
    for function in BUILT.glob("*Function"):
        for path in function.iterdir():
            if path.is_dir() and path.name in in_layer:
                shutil.rmtree(path)


def deploy(env: str, stack_name: str, parameters: Mapping[str, str], log: Path | None) -> None:
    """Run `sam deploy` on the build. Without a `log`, SAM prints to the terminal."""
    command = ["deploy", "--config-env", env, "--stack-name", stack_name]
    _sam([*command, *_overrides(parameters)], log)


def package(env: str, log: Path) -> str:
    """Upload the build by `sam package`, and return the template that names the uploads."""
    packaged = ROOT / ".aws-sam" / "packaged.yaml"
    files = [
        "--template-file",
        str(BUILT / "template.yaml"),
        "--output-template-file",
        str(packaged),
    ]
    # SAM ignores resolve_s3 of samconfig.toml for this command.
    _sam(["package", "--config-env", env, "--resolve-s3", *files], log)
    return packaged.read_text()


def migrate(target: Target) -> list[str]:
    """Invoke the migrate function; return the names of the migrations that it applied."""
    # The function may take 300 seconds, and a retry would run concurrently with the first try.
    patient = Config(read_timeout=310, retries={"total_max_attempts": 1})
    answer = boto3.client("lambda", config=patient).invoke(
        FunctionName=f"{target.stack_name}-migrate"
    )
    payload = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise Problem(
            f"The migrate function failed: {payload.get('errorMessage', payload)}",
            "See `flashsale logs migrate`.",
        )
    applied: list[str] = payload["applied"]
    return applied


def _overrides(parameters: Mapping[str, str]) -> list[str]:
    if not parameters:
        return []
    # In quotes, because a value may have spaces, or be empty to clear an earlier value.
    return ["--parameter-overrides", *(f'{name}="{value}"' for name, value in parameters.items())]


def _sam(arguments: Sequence[str], log: Path | None) -> None:
    run(["sam", *arguments], log)


def run(arguments: Sequence[str], log: Path | None) -> None:
    """Run a tool of this virtual environment. Its output goes to `log`, or else to the terminal.

    Raises:
        Problem: the tool failed. The problem shows the end of the log.

    """
    program, *rest = arguments
    command = [str(Path(sys.executable).parent / program), *rest]
    # SAM builds with a Python of the functions' version, which it looks for on PATH.
    path = os.pathsep.join([os.environ.get("PATH", ""), str(LOCALSTACK_VENV / "bin")])
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0", "PATH": path}
    if log is None:
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    else:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w") as output:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=environment,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
    if done.returncode:
        raise Problem(
            f"`{program} {rest[0]}` failed with status {done.returncode}.",
            "Fix what its output names, and try again.",
            log,
        )
