"""How long fuzzing lasts: a little, and always the same, in `make test`; FUZZ_EXAMPLES for more."""

import os

from hypothesis import HealthCheck, settings

LONG = "FUZZ_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))


def fuzzed(share=1.0):
    """Settings of one fuzz test; `share` of the examples, where each is dear."""
    return settings(
        max_examples=max(5, int(EXAMPLES * share)),
        derandomize=not LONG,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
