"""Paths in the checkout."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
MIGRATIONS = ROOT / "infra" / "migrations"
MONITORING = ROOT / "monitoring"
EMULATOR_VENV = ROOT / ".venv-emulator"
LOCALSTACK_VENV = ROOT / ".venv-localstack"
# For PYTHONPATH: the same folders as in the image, so servers run the code of this checkout.
SOURCE_ROOTS = os.pathsep.join(map(str, (ROOT, ROOT / "layers" / "flashsale", ROOT / "infra")))
