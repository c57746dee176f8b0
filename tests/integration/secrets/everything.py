"""Run every function in one process, as Lambda does.


Standard input has pairs of a function and an event, as JSON. FILE, the argument, gets the results.
"""

import importlib
import json
import sys
import traceback
from pathlib import Path

from flashsale import services as service_registry
from flashsale.postgres_store import database
from flashsale.runtime import process
from flashsale.sqs_store import order_queue
from tests.helpers.support import LambdaContext


def main(answers: Path) -> None:
    returned = []
    for function, event in json.load(sys.stdin):
        process.services.cache_clear()
        try:
            handler = importlib.import_module(f"functions.{function}.app").handler
            returned.append(handler(event, LambdaContext()))
        except Exception as error:  # noqa: BLE001 - Lambda's client logs it, and returns its text
            traceback.print_exc()
            returned.append({"errorMessage": str(error), "errorType": type(error).__name__})
    answers.write_text(json.dumps(returned))


if __name__ == "__main__":
    # Outages are reported at once. Other tests check the real timeouts.
    service_registry.SQS_CONNECT_TIMEOUT = 0.3
    order_queue.SQS_TIMEOUT = 0.3
    database.CONNECT_TIMEOUT = 1
    main(Path(sys.argv[1]))
