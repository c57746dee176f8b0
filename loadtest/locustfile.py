"""`make locust`: the load of `spike.js` by Locust, which shows it on a web page while it runs.

The options are environment variables with the names of `spike.js`: PROFILE, SCALE, GENERATION,
BASE_URL, HOST_HEADER, PRODUCT, IDS, P95_MS, ERROR_RATE. Each buyer buys once a second, so the
number of buyers is the profile's rate. Unlike k6's arrivals, a buyer waits for the answer before
the next purchase. Where answers take longer than a second, Locust sends less than the profile asks
for. If more than a tenth is missing, the exit status is 1.
"""

import itertools
import json
import os
import sys
from pathlib import Path

from locust import FastHttpUser, LoadTestShape, constant_throughput, events, task
from locust.env import Environment

ROOT = Path(__file__).resolve().parent.parent
# Locust has its own virtual environment, in which this project is not installed.
sys.path[:0] = [str(ROOT), str(ROOT / "infra")]

from flashsale_local.sale.answers import AnswerKind, classify_answer  # noqa: E402
from loadtest.profiles import Profile  # noqa: E402

IDS = json.loads(Path(os.environ.get("IDS") or ROOT / ".local" / "ids.json").read_text())
PRODUCT = os.environ.get("PRODUCT") or IDS["products"][0]
PATH = f"/api/v{os.environ.get('GENERATION') or 5}/buy"
P95_MS = float(os.environ.get("P95_MS") or 1000)
ERROR_RATE = float(os.environ.get("ERROR_RATE") or 0.01)
TIMEOUT = 30.0
MOST_UNSENT = 0.1  # share of the profile that may be missing because buyers are late
JOINING = 100.0  # buyers per second; the steepest stage needs 70, and Locust warns above 100
HEADERS = {"host": host} if (host := os.environ.get("HOST_HEADER")) else {}

users = itertools.cycle(IDS["users"])


class Buyer(FastHttpUser):
    """A client that buys once a second, each time as the next user."""

    host = os.environ.get("BASE_URL") or "http://127.0.0.1:8000"
    wait_time = constant_throughput(1)
    network_timeout = connection_timeout = TIMEOUT

    @task
    def buy(self) -> None:
        """Make one purchase, and list it under its outcome."""
        body = {"productId": PRODUCT, "userId": next(users)}
        with self.client.post(
            PATH, json=body, headers=HEADERS, catch_response=True, allow_redirects=False
        ) as answer:
            # Without an answer, the status is 0.
            kind = classify_answer(answer.status_code or 503, answer.content or b"")
            answer.request_meta["name"] = kind.name.lower()
            if kind is AnswerKind.FAILED:
                answer.failure(f"status {answer.status_code}")
            else:
                answer.success()


class Shape(LoadTestShape):
    """Sets the number of buyers to the profile's rate in purchases per second."""

    profile = Profile.named(os.environ.get("PROFILE") or "spike").scaled(
        rate=float(os.environ.get("SCALE") or 1), time=1
    )

    def tick(self) -> tuple[int, float] | None:
        """Return the number of buyers and how many may join per second; None after the profile."""
        moment = self.get_run_time()
        if moment >= self.profile.seconds:
            return None
        return round(self.profile.rate_at(moment)), JOINING


@events.init.add_listener
def let_buyers_finish(environment: Environment, **_: object) -> None:
    """Let buyers wait for their last answer, so that each attempt is counted."""
    environment.stop_timeout = TIMEOUT


@events.quitting.add_listener
def judge(environment: Environment, **_: object) -> None:
    """Set exit status 1 if the service level was missed or the profile's load was not sent."""
    stats = environment.stats
    p95 = stats.get("accepted", "POST").get_response_time_percentile(0.95) or 0
    failed = stats.get("failed", "POST").num_requests / max(1, stats.total.num_requests)
    missed = p95 >= P95_MS or failed >= ERROR_RATE
    due, sent = sum(1 for _ in Shape.profile.arrivals()), stats.total.num_requests
    short = sent < (1 - MOST_UNSENT) * due
    environment.process_exit_code = int(missed or short)
    print(f"p95 of accepted {p95:.0f} ms, share of failed {failed:.4f}:", end=" ")  # noqa: T201
    print("MISSED the service level" if missed else "kept the service level")  # noqa: T201
    if short:
        print(  # noqa: T201
            f"Only {sent} of {due} purchases were sent: buyers waited more than a second for their "
            "answers, or Locust had too little CPU. MISSED the load; lower SCALE."
        )
