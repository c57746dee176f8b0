"""ministack from PyPI: the AWS APIs without Docker, in its own virtual environment."""

import shutil
from pathlib import Path

from flashsale_local.paths import EMULATOR_VENV, ROOT
from flashsale_local.stack.program import HOST, Program, answers

# Runs ministack. Its workers share their code.
START = ROOT / "infra" / "emulator" / "start_ministack.py"


def ministack(directory: Path, port: int) -> Program:
    """Return ministack. It keeps nothing on disk but the functions' code."""
    url = f"http://{HOST}:{port}"
    temporary = directory / "ministack"
    return Program(
        name="ministack",
        url=url,
        port=port,
        port_variable="FLASHSALE_EMULATOR_PORT",
        command=[str(EMULATOR_VENV / "bin" / "python"), str(START)],
        prepare=lambda: _empty(temporary),
        tidy=lambda: shutil.rmtree(temporary, ignore_errors=True),
        ready=lambda: answers(f"{url}/_ministack/health"),
        environment={
            "GATEWAY_PORT": str(port),
            "BIND_HOST": HOST,
            "MINISTACK_HOST": HOST,
            "LOG_LEVEL": "WARNING",
            "SERVICES": "apigateway,cloudformation,cloudwatch,events,iam,lambda,logs,s3,"
            "sns,sqs,sts",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LAMBDA_WARM_TTL_SECONDS": "3600",
            "TMPDIR": str(temporary),
        },
    )


def _empty(folder: Path) -> None:
    """Remove what a ministack that was killed has left behind."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
