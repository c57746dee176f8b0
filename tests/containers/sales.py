"""Sales in a stack in containers."""

import time

import httpx

from flashsale_local.deployment.target import with_services
from flashsale_local.sale.demo import hold


def hold_a_sale(stack, generation, edge):
    """Sell 100 units to 300 buyers, until the last order is written; return the sale."""
    target, run = stack.target, f"{time.time_ns():x}"
    return with_services(
        target, lambda services: hold(target, services, generation, edge, run, lambda _: None)
    )


def request(endpoint, method, path, **more):
    """Send one request to an edge."""
    headers = {**endpoint.headers, **more.pop("headers", {})}
    return httpx.request(method, f"{endpoint.url}{path}", headers=headers, timeout=60, **more)
