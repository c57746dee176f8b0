"""The sign-in for made-up users: whom it sends back, with what, and whom it does not."""

from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from flashsale_local.deployment.sign_in import AUDIENCE, ISSUER
from flashsale_local.fake_sign_in.app import MINUTES, create_app

SECRET = "s3cretOfTokens-s3cretOfTokens-s3cretOfTokens"
OWN, SHOP, STATE = "http://127.0.0.1:8091", "http://127.0.0.1:8000", "a1_B-2"
PAGE = f"{SHOP}/shop/p-01"
# Addresses that are no page of the shop, some of them in disguise.
ELSEWHERE = [
    "",
    "/shop/p-01",
    "//127.0.0.1:8000/shop/p-01",
    "https://shop.example/",
    "https://127.0.0.1:8000/shop/p-01",
    "http://127.0.0.1:8001/shop/p-01",
    "http://127.0.0.1:80001/shop/p-01",
    "http://127.0.0.1:8000",
    "http://127.0.0.1:8000@shop.example/",
    "http://127.0.0.1:8000.shop.example/",
    "http://127.0.0.1:8000\\@shop.example/",
    "http://127.0.0.1:8000/\r\nX-Header: 1",
    "javascript:alert(1)//http://127.0.0.1:8000/",
]


@pytest.fixture
async def http():
    app = create_app(SECRET, [SHOP, "http://localhost:8000"])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=OWN) as client:
        yield client


def fields(**more):
    return {"return": PAGE, "state": STATE, "user": "u-00007", **more}


def claims_of(location):
    fragment = parse_qs(urlsplit(location).fragment)
    (token,) = fragment["token"]
    return jwt.decode(token, SECRET, ["HS256"], audience=AUDIENCE, issuer=ISSUER), fragment


async def test_a_made_up_user_goes_back_with_a_token_and_the_state(http):
    shown = await http.get("/sign-in", params={"return": PAGE, "state": STATE})
    answer = await http.post("/sign-in", data=fields(), headers={"Origin": OWN})

    assert (shown.status_code, answer.status_code) == (200, 303)
    location = answer.headers["location"]
    assert location.startswith(f"{PAGE}#token=")
    assert "?" not in location, "a server would see the token"
    claims, fragment = claims_of(location)
    assert (claims["sub"], claims["exp"] - claims["iat"]) == ("u-00007", MINUTES * 60)
    assert "scope" not in claims, "nobody becomes an admin here"
    assert fragment["state"] == [STATE]


async def test_a_fragment_of_the_page_gives_way_to_the_token(http):
    page = f"http://localhost:8000/shop/p-01#order=p-01:1-0&state={STATE}x"

    answer = await http.post("/sign-in", data=fields(**{"return": page}))

    claims, fragment = claims_of(answer.headers["location"])
    assert claims["sub"] == "u-00007"
    assert set(fragment) == {"token", "state"}
    assert fragment["state"] == [STATE]


@pytest.mark.parametrize("back", ELSEWHERE)
async def test_nobody_is_sent_elsewhere(http, back):
    shown = await http.get("/sign-in", params={"return": back, "state": STATE})
    answer = await http.post("/sign-in", data=fields(**{"return": back}))

    assert (shown.status_code, answer.status_code) == (400, 400)
    assert "location" not in answer.headers
    assert "token" not in answer.text


@pytest.mark.parametrize("state", ["", "a b", "x&token=forged", "#", "x" * 129, "a\nb"])
async def test_a_state_is_echoed_or_refused(http, state):
    answer = await http.post("/sign-in", data=fields(state=state))

    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize("origin", ["https://shop.example", "null", SHOP, "http://127.0.0.1:1"])
async def test_the_form_of_another_site_gets_no_token(http, origin):
    answer = await http.post("/sign-in", data=fields(), headers={"Origin": origin})

    assert answer.status_code == 403
    assert "location" not in answer.headers


@pytest.mark.parametrize("user", ["", " ", "a b", "ü", "x" * 129])
async def test_what_is_no_user_id_is_asked_for_again(http, user):
    answer = await http.post("/sign-in", data=fields(user=user))

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "location" not in answer.headers


async def test_the_page_interprets_nothing_and_leads_to_the_shop_only(http):
    page = f'{PAGE}?"><script>'
    shown = await http.get("/sign-in", params={"return": page, "state": STATE})
    again = await http.post("/sign-in", data=fields(user='"> <script>'))

    for answer in (shown, again):
        assert "<script" not in answer.text
        policy = answer.headers["content-security-policy"]
        assert f"form-action 'self' {SHOP} http://localhost:8000;" in policy
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


async def test_another_host_name_is_rejected(http):
    assert (await http.get("/sign-in", headers={"Host": "elsewhere.example"})).status_code == 400
