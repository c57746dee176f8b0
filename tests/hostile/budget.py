"""The number of fuzzing examples: few and reproducible in `make test`, more by FUZZ_EXAMPLES."""

import os

from hypothesis import HealthCheck, settings

LONG = "FUZZ_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))


def fuzzed(share=1.0):
    """Return the settings of one fuzz test. Slow tests run only a `share` of the examples."""
    return settings(
        max_examples=max(5, int(EXAMPLES * share)),
        derandomize=not LONG,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
