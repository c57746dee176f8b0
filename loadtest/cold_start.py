"""Measures cold starts: the import of a deployed function, and its first invocation."""

import json
import os
import subprocess
import time
import uuid
from collections.abc import Mapping
from typing import Any

from flashsale_local.deployment.deploy import BUILT
from flashsale_local.paths import EMULATOR_VENV

# CPU time is measured, because other processes share the machine. The figures go to standard error,
# because standard output belongs to the handler.
FIRST = """
import json, os, sys, time, types
event = json.load(sys.stdin)
context = types.SimpleNamespace(function_name="bench", memory_limit_in_mb=512,
                                invoked_function_arn="bench", aws_request_id="bench",
                                get_remaining_time_in_millis=lambda: 10_000)
before = time.process_time()
import app
imported = time.process_time()
app.handler(event, context)
answered = time.process_time()
print(imported - before, answered - imported, file=sys.stderr, flush=True)
os._exit(0)  # an execution environment is frozen, not shut down
"""


def cold_start(function: str, event: Mapping[str, Any]) -> tuple[float, float]:
    """Measure `import app` and the first invocation in a new interpreter, in CPU seconds.

    It is the emulator's Python, with the deployed code and the environment of this process.
    """
    path = os.pathsep.join(
        [str(BUILT / "SharedLayer" / "python"), str(BUILT / f"{function}Function")]
    )
    done = subprocess.run(
        [str(EMULATOR_VENV / "bin" / "python"), "-c", FIRST],
        env={**os.environ, "PYTHONPATH": path},
        input=json.dumps(event),
        capture_output=True,
        text=True,
        check=True,
    )
    imported, answered = done.stderr.splitlines()[-1].split()
    return float(imported), float(answered)


def first_events(product_id: str, claim: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return a first event for each function. `claim` is the event of buy; orders have new ids."""
    order = {"product_id": product_id, "user_id": "u-00001", "quantity": 1, "generation": 4}
    return {
        "Buy": claim,
        "Order": _message({**order, "id": str(uuid.uuid4())}),
        "Rollback": _message({**order, "id": str(uuid.uuid4())}),
        "Sweep": {},
        "Migrate": {},
    }


def _message(order: Mapping[str, Any]) -> dict[str, Any]:
    attributes = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": str(time.time_ns() // 10**6),
    }
    body = json.dumps(order)
    return {"Records": [{"messageId": "bench", "body": body, "attributes": attributes}]}
