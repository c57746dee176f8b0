"""Prometheus on this machine, if it is installed: monitoring/ with the addresses of the stack."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from flashsale_local.paths import MONITORING
from flashsale_local.stack.program import HOST, Program, answers

KEPT = "7d"


def find_prometheus() -> str | None:
    """Return the path of Prometheus, or None without it (Debian: apt install prometheus)."""
    return shutil.which("prometheus") or shutil.which("prometheus", path="/usr/bin")


def prometheus(binary: str, directory: Path, port: int) -> Program:
    """Return Prometheus with its data under `directory`; it scrapes what `write_targets` names."""
    home = directory / "prometheus"
    url = f"http://{HOST}:{port}"
    return Program(
        name="prometheus",
        url=url,
        port=port,
        port_variable="FLASHSALE_PROMETHEUS_PORT",
        command=[
            binary,
            f"--config.file={home / 'prometheus.yml'}",
            f"--storage.tsdb.path={home / 'data'}",
            f"--storage.tsdb.retention.time={KEPT}",
            f"--web.listen-address={HOST}:{port}",
            "--log.level=warn",
        ],
        prepare=lambda: _copy_configuration(home),
        ready=lambda: answers(f"{url}/-/ready"),
    )


def write_targets(directory: Path, urls: Mapping[str, str]) -> None:
    """Write what to scrape, by job; a running Prometheus reads it within seconds."""
    labels: dict[str, dict[str, str]] = {"edge": {"edge": "asgi"}, "relay": {"edge": "asgi"}}
    found = [
        {"targets": [urlsplit(url).netloc], "labels": {"job": job, **labels.get(job, {})}}
        for job, url in urls.items()
    ]
    folder = directory / "prometheus" / "targets"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stack.yml").write_text(json.dumps(found, indent=1))  # JSON is YAML


def _copy_configuration(home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(MONITORING / "prometheus.yml", home)
    shutil.copytree(MONITORING / "rules", home / "rules", dirs_exist_ok=True)
