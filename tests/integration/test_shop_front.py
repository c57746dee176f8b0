"""The static page of the shop front, as the ASGI edge serves it, and what its files may have."""

import dataclasses
import re
from contextlib import asynccontextmanager

import httpx
import pytest

from flashsale.errors import ConfigError
from flashsale.http.application import create_app
from flashsale.http.errors import SECURITY_HEADERS
from flashsale.http.observe import Observe
from flashsale_local.paths import ROOT
from flashsale_server.edge import shop_front
from flashsale_server.edge.app import create_edge
from tests.helpers.in_process import client_of

WEB = ROOT / "web"
# Exactly this, because each exception would be a way for a script of somebody else.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
MEDIA_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
FILES = sorted(path.name for path in WEB.iterdir() if path.suffix in MEDIA_TYPES)
# Bytes, uncompressed: a phone on a slow line loads it in a second.
MOST = 40 * 1024


@pytest.fixture
async def http():
    """Return a client of the edge. The page asks no store."""
    async with client_of(create_edge()) as client:
        yield client


@asynccontextmanager
async def shop(services, **variables):
    app = create_app(lambda: services, more=[shop_front.pages(variables)])
    async with client_of(app) as client:
        yield client


@pytest.mark.parametrize("product", ["p-01", "shirt.v2", "poster.js", "files", "settings.json"])
async def test_each_product_has_the_same_page(http, product):
    page = await http.get(f"/shop/{product}")

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.content == (WEB / "shop.html").read_bytes()


@pytest.mark.parametrize("name", FILES)
async def test_each_file_is_served_with_its_type(http, name):
    file = await http.get(f"/shop/files/{name}")

    assert file.status_code == 200
    assert file.headers["content-type"] == MEDIA_TYPES[f".{name.rpartition('.')[2]}"]
    assert file.content == (WEB / name).read_bytes()


@pytest.mark.parametrize("path", ["/shop/p-01", "/shop/%3Cscript%3E", "/shop/files/draw.js"])
async def test_answers_have_the_policy_and_the_security_headers(http, path):
    answer = await http.get(path)

    expected = SECURITY_HEADERS | {"content-security-policy": POLICY, "cache-control": "no-cache"}
    assert {name: answer.headers.get_list(name) for name in expected} == {
        name: [value] for name, value in expected.items()
    }
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("name", ["%3Cscript%3E", "a%20b", "%7Bp%7D", "x" * 65, "p-01%0A", "%00"])
async def test_what_cannot_be_a_product_gets_the_page_and_a_404(http, name):
    """A person then reads in the page that there is no such sale, and not an error of the API."""
    page = await http.get(f"/shop/{name}")

    assert page.status_code == 404
    assert page.content == (WEB / "shop.html").read_bytes(), "nothing of the address is in it"


@pytest.mark.parametrize(
    "path",
    [
        *("/shop", "/shop/", "/shop/p-01/", "/shop/files/", "/shop/files/p-01/shop.js"),
        # The page has one address for each product, and no other.
        *("/shop/files/shop.html", "/shop/files/missing.js", "/shop/files/SHOP.JS"),
        *("/shop/files/..", "/shop/files/%2e%2e", "/shop/files/%2e%2e%2fpyproject.toml"),
        *("/shop/files/../../pyproject.toml", "/shop/..%2f..%2fpyproject.toml"),
        *("/shop/files/..%5cshop.js", "/shop/files//etc/passwd", "/shop/files/%2fetc%2fpasswd"),
        *("/shop/files/shop.js%00.css", "/shop/files/.%2fdraw.js", "/shop/files/draw.js%20"),
    ],
)  # fmt: skip
async def test_nothing_else_is_served(path):
    # httpx would resolve the dots of a path before it sends it.
    async with client_of(create_edge()) as http:
        request = http.build_request("GET", "/")
        request.url = httpx.URL("http://test", raw_path=path.encode())
        answer = await http.send(request)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-security-policy"] == SECURITY_HEADERS["content-security-policy"]


async def test_no_other_kind_of_file_is_served(monkeypatch, tmp_path):
    for name in ("shop.html", "shop.js", "shop.js.map", "notes.md", ".secret", "key.pem"):
        (tmp_path / name).write_text("x")
    monkeypatch.setattr(shop_front, "FOLDER", tmp_path)
    shop_front._files.cache_clear()
    try:
        assert list(shop_front._files()) == ["shop.js"]
    finally:
        shop_front._files.cache_clear()


@pytest.mark.parametrize("path", ["/shop/p-01", "/shop/files/draw.js"])
async def test_a_browser_that_has_the_version_gets_no_body(http, path):
    first = await http.get(path)
    version = first.headers["etag"]

    again = await http.get(path, headers={"If-None-Match": version})
    listed = await http.get(path, headers={"If-None-Match": f'"old", W/{version}'})
    other = await http.get(path, headers={"If-None-Match": '"old"'})

    assert re.fullmatch(r'"[0-9a-f]{32}"', version)
    for answer in (again, listed):
        assert (answer.status_code, answer.content) == (304, b"")
        for name in ("etag", "cache-control", "content-security-policy"):
            assert answer.headers.get_list(name) == first.headers.get_list(name)
    assert other.status_code == 200
    assert other.content == first.content


async def test_files_that_differ_have_different_versions(http):
    found = [(await http.get(f"/shop/files/{name}")).headers["etag"] for name in FILES]

    assert len(set(found)) == len(FILES)


@pytest.mark.parametrize(
    ("path", "status"), [("/shop/p-01", 200), ("/shop/files/draw.js", 200), ("/shop/a%20b", 404)]
)
async def test_head_has_the_headers_and_no_body(http, path, status):
    got, headed = await http.get(path), await http.head(path)

    assert (headed.status_code, headed.content) == (status, b"")
    assert headed.headers == got.headers


async def test_the_page_takes_get_and_head_only(http):
    for path in ("/shop/p-01", "/shop/files/draw.js", "/shop/files/settings.json"):
        assert (await http.post(path)).status_code == 405


@pytest.mark.parametrize("prefix", ["/prod", "/shop"])
async def test_the_page_works_below_a_prefix(services, prefix):
    app = create_app(lambda: services, more=[shop_front.pages({})])
    async with client_of(app, root_path=prefix) as http:
        page = await http.get(f"{prefix}/shop/p-01")
        loaded = [page.url.join(address) for address in addresses(page.text)]
        answers = [await http.get(url) for url in loaded]
        settings = await http.get(page.url.join("files/settings.json"))

    assert page.status_code == settings.status_code == 200
    assert answers
    assert {(answer.status_code, answer.url.path.startswith(f"{prefix}/shop/files/"))
            for answer in answers} == {(200, True)}  # fmt: skip


async def test_the_page_is_not_in_the_document_of_the_api(http):
    assert not [
        path for path in (await http.get("/openapi.json")).json()["paths"] if "shop" in path
    ]


async def test_all_files_share_one_series_of_metrics(services):
    seen = []
    app = Observe(create_app(lambda: services, more=[shop_front.pages({})]), seen.append)
    async with client_of(app) as http:
        for path in ("p-01", "p-02", "a%20b", "files/draw.js", "files/x.js", "files/settings.json"):
            await http.get(f"/shop/{path}")

    assert {one.route for one in seen} == {
        "/shop/{product_id}", "/shop/files/{name}", "/shop/files/settings.json",
    }  # fmt: skip


# ---- settings.json -----------------------------------------------------------------------------


async def test_the_settings_of_an_open_shop(services):
    async with shop(services) as http:
        answer = await http.get("/shop/files/settings.json")

    assert answer.json() == {"auth": "none", "signIn": None, "pay": None}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers.get_list("cache-control") == ["no-cache"]


async def test_the_settings_say_where_to_sign_in_and_to_pay(services):
    services.settings = dataclasses.replace(services.settings, auth="jwt")
    sign_in_url, pay = "https://id.example.org/sign-in?client=shop", "http://127.0.0.1:8123/pay"

    async with shop(services, SHOP_SIGN_IN_URL=sign_in_url, SHOP_PAY_URL=pay) as http:
        answer = await http.get("/shop/files/settings.json")

    assert answer.json() == {"auth": "jwt", "signIn": sign_in_url, "pay": pay}


@pytest.mark.parametrize("variable", ["SHOP_SIGN_IN_URL", "SHOP_PAY_URL"])
@pytest.mark.parametrize(
    "value",
    [
        *(
            "javascript:alert(1)",
            "data:text/html,x",
            "//id.example.org",
            "/sign-in",
            "id.example.org",
        ),
        *("http://id.example.org/", "https://", "https://id.example.org:port/"),
    ],
)
def test_an_address_that_is_no_encrypted_url_is_refused(variable, value):
    with pytest.raises(ConfigError, match=f"{variable} is .*; it should look like https://"):
        shop_front.pages({variable: value})


# ---- the files in web/ -------------------------------------------------------------------------


def addresses(html):
    found = re.findall(r'(?:href|src)="([^"#]*)"', html)
    return [address for address in found if not address.startswith("data:")]


def texts(*suffixes):
    return {path.name: path.read_text() for path in WEB.iterdir() if path.suffix in suffixes}


def test_the_page_with_all_its_files_is_small():
    """Uncompressed: nothing on the way has to compress it."""
    sizes = {path.name: path.stat().st_size for path in WEB.iterdir()}

    assert sum(sizes.values()) < MOST, sizes


def test_the_folder_has_nothing_but_the_page_and_what_is_served():
    assert {path.name for path in WEB.iterdir()} == {"shop.html", *FILES}


def test_the_page_has_no_script_and_no_style_of_its_own():
    html = (WEB / "shop.html").read_text()

    inline = r"<style|\sstyle=|\son\w+\s*=|javascript:|<base|<iframe|<object"
    assert not re.search(inline, html, re.IGNORECASE)
    assert all(re.search(r'\ssrc="[^"]+"', tag) for tag in re.findall(r"<script[^>]*>", html))
    assert not re.search(r"<script[^>]*>[^<]", html)


def test_the_page_loads_files_that_exist_by_relative_addresses():
    html = (WEB / "shop.html").read_text()
    imported = re.compile(r"""(?:from|import)\s*\(?\s*["']([^"']+)["']""")
    modules = {name for text in texts(".js").values() for name in imported.findall(text)}

    assert addresses(html)
    assert {a.removeprefix("files/") for a in addresses(html)} <= set(FILES)
    assert {name.removeprefix("./") for name in modules} <= set(FILES), "siblings only"
    assert all(a.startswith("files/") for a in addresses(html))


def test_no_file_names_another_host():
    for name, text in texts(".html", ".js", ".css").items():
        assert not re.search(r"(?:https?:)?//[\w-]+(?:\.[\w-]+)+", text), name
        assert not re.search(r"@import|url\(", text), name


def test_no_script_makes_code_or_markup_of_a_text():
    """The policy stops inline scripts, but not markup, which could look like the shop."""
    for name, text in texts(".js").items():
        found = re.search(
            r"\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc"
            r"|set(?:Timeout|Interval)\(\s*[\"'`]|document\.cookie",
            text,
        )
        assert not found, (name, found)
