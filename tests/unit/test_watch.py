"""The targets that Prometheus is configured to scrape."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from prometheus_client import CollectorRegistry, start_http_server

from flashsale_local.stack.program import HOST, free_port
from flashsale_local.stack.watchers import _relay_target
from tests.helpers.support import POLL


@pytest.fixture
def somebody_else():
    """Start another server on the port. It answers 501."""
    server = HTTPServer((HOST, 0), BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, args=(POLL,), daemon=True).start()
    yield f"http://{HOST}:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_relay_with_metrics_is_scraped():
    port = free_port()
    server, thread = start_http_server(port, HOST, CollectorRegistry())
    url = f"http://{HOST}:{port}"

    assert _relay_target(url) == {"relay": url}

    server.shutdown()
    server.server_close()
    thread.join()


def test_a_relay_whose_port_was_taken_is_not_said_to_be_down(somebody_else, capsys):
    assert _relay_target(somebody_else) == {}
    assert _relay_target(f"http://{HOST}:{free_port()}") == {}

    assert "without the relay's figures" in capsys.readouterr().err
