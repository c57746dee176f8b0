"""Applications are independent of each other, and a function imports no more than it serves."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from flashsale.http.application import create_admin_app, create_app
from tests.helpers.in_process import client_of

IMPORTED = "import sys, functions.{0}.app; print(*sys.modules)"


class Products:
    def __init__(self, name):
        self.name = name

    async def list_all(self):
        raise RuntimeError(self.name)


async def test_each_application_has_its_own_services():
    seen = []

    def shop(name):
        seen.append(name)
        return SimpleNamespace(products=Products(name))

    for name in ("first", "second"):
        async with client_of(create_app(lambda name=name: shop(name))) as http:
            assert (await http.get("/api/products")).status_code == 500

    assert seen == ["first", "second"]


def test_buyers_and_admins_have_different_routes():
    buyers, admins = (set(api.openapi()["paths"]) for api in (create_app(), create_admin_app()))

    assert {"/api/v4/buy", "/api/v5/buy", "/api/orders/{order_id}"} <= buyers
    assert all(path.startswith("/api/admin/") for path in admins)
    assert not buyers & admins


@pytest.mark.parametrize(
    ("function", "others"),
    [
        ("buy", ["flashsale.http.admin", "psycopg", "boto3"]),
        ("admin", ["flashsale.http.buy", "boto3"]),
    ],
)
def test_a_function_imports_neither_the_others_routes_nor_idle_drivers(function, others):
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED.format(function)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert not set(others) & set(done.stdout.split())
