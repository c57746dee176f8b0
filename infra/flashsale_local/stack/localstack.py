"""LocalStack 4.14 in host mode, without Docker. infra/localstack runs its functions."""

from pathlib import Path

from flashsale_local.paths import LOCALSTACK_VENV
from flashsale_local.problems import Problem
from flashsale_local.stack.program import HOST, Program, answers


def localstack(directory: Path, port: int) -> Program:
    """Return LocalStack. It keeps its state in memory."""
    url = f"http://{HOST}:{port}"
    home = directory / "localstack"
    return Program(
        name="localstack",
        url=url,
        port=port,
        port_variable="FLASHSALE_EMULATOR_PORT",
        command=[str(LOCALSTACK_VENV / "bin" / "python"), "-m", "localstack.runtime.main"],
        prepare=lambda: _prepare(home),
        ready=lambda: answers(f"{url}/_localstack/health"),
        environment={
            "GATEWAY_LISTEN": f"{HOST}:{port}",
            "LOCALSTACK_HOST": f"{HOST}:{port}",
            "SERVICES": "cloudformation,cloudwatch,events,iam,lambda,logs,s3,sns,sqs,sts",
            "LAMBDA_RUNTIME_EXECUTOR": "process",
            "LAMBDA_KEEPALIVE_MS": "3600000",
            "LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT": "60",
            # By default a mapping moves about ten messages a second.
            "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "0",
            "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": "1",
            "DISABLE_EVENTS": "1",  # or it would report its use
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "DNS_ADDRESS": "0",
            "LS_LOG": "warning",
            "LOCALSTACK_VOLUME_DIR": str(home / "volume"),
            "HOME": str(home),
            "TMPDIR": str(home / "tmp"),
        },
    )


def _prepare(home: Path) -> None:
    if not LOCALSTACK_VENV.exists():
        raise Problem(
            f"LocalStack is not installed in {LOCALSTACK_VENV}.",
            "Run `EMULATOR=localstack make setup`. It needs Python 3.13.",
        )
    for folder in ("volume", "tmp"):
        (home / folder).mkdir(parents=True, exist_ok=True)
