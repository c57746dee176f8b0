"""schemathesis against the OpenAPI document, on both edges: documented answers, and no 5xx.

503 is documented for stores that are down. Here they are up.
"""

import re

import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from flashsale.model import USER_ID
from functions.admin.app import api as admin
from functions.buy.app import api
from infra.sign_in import mint
from tests.hostile.budget import fuzzed
from tests.support import USERS

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


document = api.openapi()
on_asgi = schemathesis.openapi.from_dict(document)
on_admin = schemathesis.openapi.from_dict(admin.openapi())
on_lambda = schemathesis.openapi.from_dict(document)


class Gateway:
    """The Lambda edge as a WSGI application, which schemathesis must know before there is one."""

    edge = None

    def __call__(self, environ, start_response):
        return self.edge(environ, start_response)


on_lambda.app = gateway = Gateway()


@on_asgi.parametrize()
@fuzzed(0.3)
def test_the_asgi_edge_keeps_to_the_document(case, asgi, shop):
    attack(case, shop, asgi.url)


@on_lambda.parametrize()
@fuzzed(0.3)
def test_the_lambda_edge_keeps_to_the_document(case, aws_lambda, shop):
    gateway.edge = aws_lambda
    attack(case, shop, "http://localhost")


@on_admin.parametrize()
@fuzzed(0.3)
def test_the_admin_api_keeps_to_the_document(case, asgi, shop, target):
    token = mint(target.token_secret, "hostile", admin=True, minutes=5)
    attack(case, shop, asgi.url, {"Authorization": f"Bearer {token}"})


def attack(case, shop, url, headers=None):
    # Ids that schemathesis makes up are nobody's: every other good one becomes one that exists.
    fields = case.body if isinstance(case.body, dict) else {}
    known = {"productId": shop.product_id, "userId": USERS[0]}
    for name in known.keys() & fields.keys():
        value = fields[name]
        if isinstance(value, str) and re.fullmatch(USER_ID, value) and len(value) % 2:
            fields[name] = known[name]
    answer = case.call_and_validate(base_url=url, headers=headers, checks=CHECKS)
    assert answer.status_code != 401, "whoever needs a token has one"
