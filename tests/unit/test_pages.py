"""The pages for people, the front page and the API documentation, on both edges without stores."""

import asyncio
import base64
import hashlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import files
from urllib.parse import urljoin

import httpx
import pytest

from flashsale.http import docs
from flashsale.http.application import create_app
from flashsale.http.errors import SECURITY_HEADERS
from flashsale.http.gateway import lambda_handler
from flashsale_server.edge.app import create_edge
from tests.helpers.edges import Lambda
from tests.helpers.in_process import client_of

ADDRESS = re.compile(r'(?:href|src)="([^"]*)"')
ASKS_FOR_DOCS = """
import sys
from functions.buy import app
print("fastapi_swagger" in sys.modules, app.api.openapi_schema, end="")
"""


class Asgi:
    """The ASGI edge, called in process."""

    @staticmethod
    def get(path, method="GET", prefix=""):
        async def ask():
            async with client_of(create_edge(), root_path=prefix) as http:
                return await http.request(method, prefix + path)

        return asyncio.run(ask())


class Function:
    """The buy function, called with events of API Gateway. A prefix is a stage."""

    @staticmethod
    def get(path, method="GET", prefix=""):
        def loop():
            asyncio.set_event_loop(asyncio.new_event_loop())

        with ThreadPoolExecutor(1, initializer=loop) as thread:
            make = thread.submit(lambda: lambda_handler(create_app()))
            client = Lambda(make.result(), thread)
            client.stage = prefix.strip("/") or "$default"
            answer = client.request(method, prefix + path)
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)


@pytest.fixture(params=[Asgi, Function])
def edge(request):
    return request.param


@pytest.fixture(params=["", "/prod"])
def prefix(request):
    return request.param


def addresses(page):
    return [address for address in ADDRESS.findall(page.text) if not address.startswith("data:")]


def policy(page):
    """Return the sources of each directive."""
    (text,) = page.headers.get_list("content-security-policy")
    return {name: sources for name, *sources in (part.split() for part in text.split(";"))}


def test_the_front_page_leads_to_what_a_person_looks_for(edge, prefix):
    page = edge.get("/", prefix=prefix)

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert addresses(page) == ["docs", "openapi.json", "api/products", "health"]
    for address in ("docs", "openapi.json"):  # the others need stores
        path = urljoin(f"http://shop{prefix}/", address).removeprefix("http://shop")
        assert edge.get(path.removeprefix(prefix), prefix=prefix).status_code == 200


def test_the_front_page_names_the_live_page_where_it_is_known(edge, monkeypatch):
    monkeypatch.setenv("LIVE_PAGE_URL", 'http://shop/?"><script>')

    page = edge.get("/")

    assert '<a href="http://shop/?&quot;&gt;&lt;script&gt;">The live page</a>' in page.text
    assert "<script" not in page.text


def test_the_live_page_is_an_address_on_the_web(edge, monkeypatch):
    monkeypatch.setenv("LIVE_PAGE_URL", "javascript:alert(1)")

    assert "javascript" not in edge.get("/").text


def test_the_front_page_runs_nothing_and_loads_nothing(edge):
    page = edge.get("/")

    rules, style = policy(page), re.search(r"<style>(.*?)</style>", page.text, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert rules["default-src"] == ["'none'"]
    assert rules["style-src"] == [f"'sha256-{digest}'"]
    assert "script-src" not in rules
    assert "<script" not in page.text


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_keep_the_security_headers(edge, path):
    page = edge.get(path)

    expected = {name: [value] for name, value in SECURITY_HEADERS.items()}
    del expected["content-security-policy"]  # a page has its own
    assert {name: page.headers.get_list(name) for name in expected} == expected
    assert policy(page)["frame-ancestors"] == policy(page)["base-uri"] == ["'none'"]


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_head_of_a_page_has_no_body(edge, path):
    got, headed = edge.get(path), edge.get(path, "HEAD")

    assert (headed.status_code, headed.text) == (200, "")
    assert headed.headers["content-type"] == got.headers["content-type"]
    assert headed.headers["content-security-policy"] == got.headers["content-security-policy"]


def test_the_documentation_takes_scripts_and_styles_from_its_own_origin_only(edge):
    page = edge.get("/docs")

    rules = policy(page)
    assert rules["default-src"] == ["'none'"]
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == ["'self'"]
    assert not re.search(r"https?:|<script>|<style|style=| on\w+=", page.text)
    assert not [address for address in addresses(page) if address.startswith("/")]


def test_each_file_of_the_documentation_is_what_the_page_says_and_may_be_kept(edge, prefix):
    page = edge.get("/docs", prefix=prefix)

    loaded = re.findall(r'(?:href|src)="(docs/[^"]+)" integrity="sha384-([^"]+)"', page.text)
    assert [address.rpartition("/")[2] for address, _ in loaded] == [
        "swagger-ui.css", "swagger-ui-bundle.js", "start.js",
    ]  # fmt: skip
    for address, digest in loaded:
        file = edge.get(f"/{address}", prefix=prefix)
        kind = "text/css" if address.endswith(".css") else "text/javascript"
        assert file.status_code == 200
        assert base64.b64encode(hashlib.sha384(file.content).digest()).decode() == digest
        assert file.headers["content-type"] == f"{kind}; charset=utf-8"
        assert file.headers["x-content-type-options"] == "nosniff"
        assert file.headers.get_list("cache-control") == ["public, max-age=31536000, immutable"]


def test_the_documentation_finds_the_document_below_any_prefix(edge):
    (start,) = [address for address in addresses(edge.get("/docs")) if "start.js" in address]

    assert 'url: "openapi.json"' in edge.get(f"/{start}").text


def test_another_versions_file_is_not_found(edge):
    (script, *_) = [address for address in addresses(edge.get("/docs")) if "bundle" in address]
    for path in (
        f"/docs/{'0' * 16}/swagger-ui-bundle.js",
        script.replace("docs/", "/docs/").replace("swagger-ui-bundle.js", "start.js"),
        "/docs/../../etc/passwd",
    ):
        answer = edge.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")


def test_the_document_has_no_pages():
    assert not [
        path for path in create_app().openapi()["paths"] if not re.match("/api|/health", path)
    ]


def test_the_files_are_those_that_the_package_was_installed_with():
    """The hashes in requirements.txt cover the package, and its RECORD covers these files."""
    recorded = {file.name: file.hash for file in files("fastapi-swagger") or () if file.hash}
    served = {file.name: file.content for file in docs._files().values()}

    for name in ("swagger-ui.css", "swagger-ui-bundle.js"):
        digest = base64.urlsafe_b64encode(hashlib.sha256(served[name]).digest()).decode()
        assert recorded[name].value == digest.rstrip("=")


def test_a_cold_start_reads_nothing_of_the_documentation():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", ASKS_FOR_DOCS],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout == "False None"
    assert "fastapi_swagger" not in done.stderr
