"""The smoke test that ends a deployment."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.deployment.steps import smoke_test
from flashsale_local.problems import Problem
from tests.helpers.support import POLL


@pytest.fixture
def shop():
    """Serve a shop whose answers a test chooses. It records the purchases."""
    answers, bought = {"GET": [200], "POST": [404]}, []

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            length = int(self.headers.get("content-length", 0))
            bought.append(self.rfile.read(length)) if length else None
            statuses = answers[self.command]
            self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
            self.send_header("content-length", "0")
            self.end_headers()

        do_GET = do_POST = answer  # noqa: N815

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(POLL,))
    thread.start()
    yield Endpoint(f"http://127.0.0.1:{server.server_port}"), answers, bought
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_smoke_test_waits_for_health_and_buys_nothing(shop):
    endpoint, answers, bought = shop
    answers["GET"] = [503, 200]

    assert smoke_test(endpoint) == "/health 200, a purchase of nothing 404"
    (purchase,) = bought
    assert b"no-such-product" in purchase


def test_a_store_that_is_down_fails_the_release(shop):
    endpoint, answers, _ = shop
    answers["GET"] = [503]

    with pytest.raises(Problem, match="/health says 503"):
        smoke_test(endpoint, deadline=0)


@pytest.mark.parametrize("status", [202, 500, 403])
def test_an_unexpected_answer_to_a_purchase_fails_the_release(shop, status):
    endpoint, answers, _ = shop
    answers["POST"] = [status]

    with pytest.raises(Problem, match=f"got {status}"):
        smoke_test(endpoint)
