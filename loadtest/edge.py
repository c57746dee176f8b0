"""Measures the emulated Lambda edge in a closed loop, and a constant function as its floor."""

import io
import itertools
import json
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import urllib3

from flashsale_local.deployment.deploy import LOCAL_BUY_CONCURRENCY
from flashsale_local.deployment.target import Target
from flashsale_local.problems import Problem
from flashsale_local.queues.drain import drain
from flashsale_local.sale.seed import user_ids

# It prints a line, because ministack waits for output after each invocation.
CONSTANT = """
def handler(event, context):
    print("{}")
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": "{}"}
"""
DRAIN_DEADLINE = 300.0


@contextmanager
def constant_function(target: Target) -> Iterator[str]:
    """Deploy a function that returns a constant behind an API like ours, and yield its URL."""
    name = "bench-constant"
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", CONSTANT)
    functions, gateway = boto3.client("lambda"), boto3.client("apigatewayv2")
    made = functions.create_function(
        FunctionName=name,
        Runtime=f"python3.{sys.version_info.minor}",  # type: ignore[arg-type]
        Role="arn:aws:iam::000000000000:role/bench",
        Handler="app.handler",
        Code={"ZipFile": code.getvalue()},
        MemorySize=512,
        Timeout=10,
    )
    api_id = gateway.create_api(Name=name, ProtocolType="HTTP")["ApiId"]
    try:
        functions.put_function_concurrency(
            FunctionName=name, ReservedConcurrentExecutions=LOCAL_BUY_CONCURRENCY
        )
        integration = gateway.create_integration(
            ApiId=api_id,
            IntegrationType="AWS_PROXY",
            IntegrationUri=made["FunctionArn"],
            PayloadFormatVersion="2.0",
        )["IntegrationId"]
        gateway.create_route(
            ApiId=api_id, RouteKey="$default", Target=f"integrations/{integration}"
        )
        gateway.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
        url = target.cloud.endpoint({"ApiId": api_id}).url + "/"
        requests_per_second(url, "warm-up", 3.0)
        yield url
    finally:
        gateway.delete_api(ApiId=api_id)
        functions.delete_function(FunctionName=name)
        drain(target.queues, DRAIN_DEADLINE)


def requests_per_second(url: str, product_id: str, seconds: float) -> float:
    """Return answers per second of a closed loop with a connection per execution environment."""
    pool = urllib3.PoolManager(maxsize=LOCAL_BUY_CONCURRENCY, retries=False)
    users = itertools.cycle(user_ids(3000))
    answers = [0] * LOCAL_BUY_CONCURRENCY
    refused: list[str] = []
    end = time.monotonic() + seconds

    def loop(number: int) -> None:
        while time.monotonic() < end:
            body = json.dumps({"productId": product_id, "userId": next(users)})
            answer = pool.request(
                "POST", url, body=body, headers={"content-type": "application/json"}
            )
            if answer.status == 429:  # an execution environment is freed a moment after its answer
                continue
            if answer.status >= 500:
                refused.append(f"{answer.status} {answer.data[:200]!r}")
                return
            answers[number] += 1

    threads = [
        threading.Thread(target=loop, args=(number,)) for number in range(LOCAL_BUY_CONCURRENCY)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pool.clear()
    if refused:
        raise Problem(f"{url} answered {refused[0]}", "See `flashsale logs buy`.")
    return sum(answers) / seconds
