"""The deployed application with tokens for buyers, on both edges."""

from dataclasses import replace

import httpx
import pytest

from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.deployment import deploy, sign_in
from flashsale_local.stack import edge
from flashsale_local.stack.program import free_port
from tests.e2e.conftest import VISIBILITY_TIMEOUT
from tests.helpers.support import until
from tests.integration.test_v5_api import is_problem

# So that a fourth attempt within a minute is refused.
LIMIT = "3/60"


@pytest.fixture(scope="module")
def guarded(stack, deployed):
    """A second deployment beside the one without tokens."""
    target = replace(deployed, stack_name="flashsale-guarded", auth="jwt")
    parameters = {
        **deploy.local_parameters(target),
        "VisibilityTimeout": str(VISIBILITY_TIMEOUT),
        "RateLimitUser": LIMIT,
    }
    log = stack.directory / "logs" / "sam-deploy-guarded.log"
    with deploy.building():
        deploy.deploy("local", target.stack_name, parameters, log)
    target.cloud.finish_deploy(target.stack_name, parameters)
    return target


@pytest.fixture(scope="module", params=["lambda", "asgi"])
def endpoint(request, stack, guarded):
    if request.param == "lambda":
        yield guarded.api
        return
    web = edge.web(stack.directory, free_port(), guarded, workers=1, RATE_LIMIT_USER=LIMIT)
    web = replace(web, name="edge-guarded")
    stack.add(web)
    yield Endpoint(web.url)
    stack.supervisor.stop_program(web.name)


@pytest.fixture
async def http(endpoint):
    async with httpx.AsyncClient(
        base_url=endpoint.url, headers=endpoint.headers, timeout=60
    ) as client:
        yield client


def bearer(target, user_id):
    token = sign_in.mint(target.token_secret, user_id, admin=False, minutes=5)
    return {"Authorization": f"Bearer {token}"}


async def test_a_buyer_with_a_token_buys_and_alone_sees_the_order(
    http, guarded, new_product, services
):
    product_id = await new_product(5)
    buyer = f"new-{product_id}"  # not in the database yet
    wanted = {"productId": product_id}

    assert is_problem(await http.post("/api/v5/buy", json=wanted), 401, "unauthorized")
    other = replace(guarded, token_secret="x" * 43)
    forged = await http.post("/api/v5/buy", json=wanted, headers=bearer(other, buyer))
    assert is_problem(forged, 401, "unauthorized")
    closed = await http.post(
        "/api/v4/buy", json={**wanted, "userId": buyer}, headers=bearer(guarded, buyer)
    )
    assert closed.status_code == 404
    assert await services.stock.left([product_id]) == [5]

    mine = bearer(guarded, buyer)
    bought = await http.post("/api/v5/buy", json=wanted, headers=mine)
    assert bought.status_code == 202
    place = bought.url.join(bought.headers["location"])

    async def confirmed():
        return (await http.get(place, headers=mine)).json()["status"] == "CONFIRMED"

    await until(confirmed)
    assert (await http.get(place, headers=bearer(guarded, "somebody"))).status_code == 404


async def test_a_fourth_attempt_within_a_minute_is_refused(http, guarded, new_product, services):
    product_id = await new_product(9)
    mine = bearer(guarded, f"eager-{product_id}")

    answers = [
        await http.post("/api/v5/buy", json={"productId": product_id}, headers=mine)
        for _ in range(4)
    ]

    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
    assert int(answers[3].headers["retry-after"]) >= 1
    assert await services.stock.left([product_id]) == [6]
