"""The metrics of the ASGI edge before anything is counted, in a separate process."""

import os
import subprocess
import sys

from flashsale_local.paths import SOURCE_ROOTS

SCRIPT = """
from flashsale_server.edge.metrics import start_at_zero
from flashsale_server.edge.aggregation import exposition
start_at_zero()
print(exposition().decode())
"""


def test_a_sale_has_series_before_its_first_purchase(tmp_path):
    """Otherwise a sale that begins and ends between two scrapes would have no rate."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONPATH": SOURCE_ROOTS, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

    name = "flashsale_http_request_seconds_count"
    for generation, status in (
        (1, 201),
        (4, 202),
        (5, 202),
        (4, 400),
        (5, 403),
        (5, 409),
        (5, 503),
    ):
        labels = f'method="POST",route="/api/v{generation}/buy",status="{status}"'
        assert f"{name}{{{labels}}} 0.0\n" in done.stdout
        labels = f'generation="{generation}",outcome="accepted"'
        assert f"flashsale_claims_total{{{labels}}} 0.0\n" in done.stdout
    for outcome in ("admission_required", "admission_over"):
        labels = f'generation="5",outcome="{outcome}"'
        assert f"flashsale_claims_total{{{labels}}} 0.0\n" in done.stdout
