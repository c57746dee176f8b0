"""Paths in the checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
MIGRATIONS = ROOT / "infra" / "migrations"
MONITORING = ROOT / "monitoring"
EMULATOR_VENV = ROOT / ".venv-emulator"
LOCALSTACK_VENV = ROOT / ".venv-localstack"
