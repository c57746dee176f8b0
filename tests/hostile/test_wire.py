"""Bytes on the socket of the ASGI edge that no normal client sends.

The edge answers 4xx or closes the connection, never answers 5xx, and keeps running.
"""

import psutil
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flashsale.http.limits import MAX_BODY
from tests.hostile.budget import fuzzed
from tests.hostile.wire import UNTIL_ANSWERED, exchange, request, statuses

CHUNKED = b"Transfer-Encoding: chunked"


def chunked(*parts):
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@pytest.fixture
def edge(asgi, stack):
    """Return the edge, and check at the end that no process was replaced."""
    serving = _processes(stack)
    yield asgi
    assert asgi.request("GET", "/api/products/none").status == 404
    assert _processes(stack) == serving


def _processes(stack):
    leader = psutil.Process(stack.supervisor.info()["edge"]["pid"])
    return {leader.pid, *(child.pid for child in leader.children(recursive=True))}


HEADERS = [
    b"Idempotency-Key", b"Ticket", b"Admission",
    b"Authorization", b"Content-Type", b"Content-Length", b"Transfer-Encoding",
    b"Host", b"Connection", b"Expect", b"Upgrade", b"X-Forwarded-For", b"Forwarded", b"Cookie",
    b"Accept", b"Accept-Encoding", b"Range", b"TE", b"Origin", b"Referer", b"X-Method-Override",
]  # fmt: skip
bytes_of_headers = st.binary(max_size=60) | st.text(max_size=30).map(str.encode)


@fuzzed(2)
@given(name=st.sampled_from(HEADERS) | st.binary(max_size=10), value=bytes_of_headers)
@example(name=b"Host", value=b"[")
@example(name=b"Host", value=b"a:b")
@example(name=b"Content-Length", value=b"+5")
@example(name=b"Content-Length", value=b"-1")
@example(name=b"Content-Length", value=b"9" * 40)
@example(name=b"Content-Type", value=b"application/json; charset=utf-16")
@example(name=b"Idempotency-Key", value="ключ".encode())
@example(name=b"Authorization", value=b"Bearer \xff\xfe")
def test_no_header_breaks_the_edge(edge, shop, name, value):
    host = b"" if name.lower() == b"host" else b"Host: localhost"

    for path in (b"/api/v5/buy", b"/no/such/path", b"/api/v4/buy"):
        line = b"POST " + path + b" HTTP/1.1"
        attack = name + b": " + value
        sent = request(shop.body(), attack, b"Connection: close", line=line, host=host)
        assert all(status < 500 for status in statuses(edge.port, sent))


@fuzzed(1)
@given(line=st.binary(max_size=80) | st.text(max_size=40).map(str.encode))
@example(line=b"GET / HTTP/1.0")
@example(line=b"GET /")
@example(line=b"GET http://elsewhere.example/api/products HTTP/1.1")
@example(line=b"GET http://[ HTTP/1.1")
@example(line=b"CONNECT 127.0.0.1:22 HTTP/1.1")
@example(line=b"OPTIONS * HTTP/1.1")
@example(line=b"GET * HTTP/1.1")
@example(line=b"PRI * HTTP/2.0")
@example(line=b"GET /api/v5/orders/%00 HTTP/1.1")
@example(line=b"GET /api/v5/orders/%ff%fe HTTP/1.1")
@example(line=b"GET /api/v5/orders/%ZZ HTTP/1.1")
@example(line=b"GET /api/v5/orders/\x00 HTTP/1.1")
@example(line=b"GET /../../etc/passwd HTTP/1.1")
@example(line=b"GET //evil.example/ HTTP/1.1")
@example(line=b"GET /api/products/ HTTP/1.1")
@example(line=b"GET /%0d%0aSet-Cookie:%20a=b HTTP/1.1")
@example(line=b"GET /" + b"a" * 200_000 + b" HTTP/1.1")
@example(line=b"GET /api/products?" + b"a=1&" * 10_000 + b" HTTP/1.1")
@example(line=b"G" * 100_000 + b" / HTTP/1.1")
def test_no_request_line_breaks_the_edge(edge, line):
    answers = statuses(edge.port, line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    assert all(status < 500 for status in answers)


@fuzzed(1)
@given(sent=st.binary(max_size=200))
@example(sent=b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")  # TLS
@example(sent=b"\r\n" * 1000)
@example(sent=b"\x00" * 1000)
@example(sent=b"GET / HTTP/1.1\nHost: localhost\n\n")
@example(sent=b"GET / HTTP/1.1\rHost: localhost\r\r")
@example(sent=b"GET / HTTP/1.1\r\nHost: localhost\r\n Folded: yes\r\n\r\n")
@example(sent=b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00" * 9)
@example(sent=b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000 + b"\r\n")
@example(sent=b"GET / HTTP/1.1\r\nA: " + b"b" * 1_000_000 + b"\r\n\r\n")
@example(sent=b"GET / HTTP/1.1\r\n" + b"A" * 1_000_000 + b": b\r\n\r\n")
def test_no_bytes_break_the_edge(edge, sent):
    assert all(status < 500 for status in statuses(edge.port, sent))


SMUGGLED = b"POST /api/v5/buy HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
SMUGGLING = {
    "length and chunks": [b"Content-Length: 6", CHUNKED],
    "chunks and length": [CHUNKED, b"Content-Length: 6"],
    "two lengths": [b"Content-Length: 6", b"Content-Length: 600"],
    "a list of lengths": [b"Content-Length: 6, 600"],
    "a length with a sign": [b"Content-Length: +6"],
    "a length in hex": [b"Content-Length: 0x6"],
    "a blank before the colon": [b"Transfer-Encoding : chunked", b"Content-Length: 6"],
    "another coding": [b"Transfer-Encoding: identity, chunked", b"Content-Length: 6"],
    "an unknown coding": [b"Transfer-Encoding: xchunked"],
    "chunked twice": [b"Transfer-Encoding: chunked, chunked"],
    "chunked not last": [b"Transfer-Encoding: chunked, gzip"],
    "two codings": [CHUNKED, b"Transfer-Encoding: x"],
    "a tab": [b"Transfer-Encoding:\tchunked", b"Content-Length: 6"],
    "a vertical tab": [b"Transfer-Encoding: \x0bchunked", b"Content-Length: 6"],
    "bare LF": [b"X: y\nTransfer-Encoding: chunked", b"Content-Length: 6"],
}


@pytest.mark.parametrize("shape", SMUGGLING)
def test_no_request_is_smuggled_in_another(edge, shop, shape):
    """After "0 CRLF CRLF", one parser reads more body and another reads a request."""
    body = shop.body()
    inner = SMUGGLED + b"Content-Length: %d\r\n\r\n" % len(body) + body
    sent = request(b"0\r\n\r\n" + inner, *SMUGGLING[shape], length=False)
    before = shop.books()

    answers = statuses(edge.port, sent, UNTIL_ANSWERED)

    assert len(answers) <= 1
    assert all(400 <= status < 500 for status in answers)
    assert shop.books() == before


def test_a_declared_length_hides_no_body(edge):
    """Content-Length is ignored for chunks, so a small length cannot hide a large body."""
    parts = [b"x" * 8192] * 64
    sent = request(chunked(*parts), b"Content-Length: 5", CHUNKED, length=False)

    assert statuses(edge.port, sent, UNTIL_ANSWERED) == [413]


@pytest.mark.parametrize(
    "body",
    [
        chunked(*[b"x" * 4096] * 8),
        b"ffffffffffffffff\r\nx\r\n",
        b"-1\r\nx\r\n",
        b"zz\r\n",
        b"1;" + b"x" * 100_000 + b"\r\n",
        b"1\nx\n0\n\n",
    ],
    ids=["large", "endless", "negative", "no number", "extension", "bare LF"],
)
def test_chunks(edge, shop, body):
    before = shop.books()

    answers = statuses(edge.port, request(body, CHUNKED, length=False))

    assert all(400 <= status < 500 for status in answers)
    assert shop.books() == before


def test_a_body_shorter_than_declared_buys_nothing(edge, shop):
    before = shop.books()
    body = shop.body()

    sent = request(body, b"Content-Length: %d" % (len(body) + 1), length=False)

    assert all(400 <= status < 500 for status in statuses(edge.port, sent))
    assert shop.books() == before


def test_bytes_after_a_rejected_body_are_not_read_as_a_request(edge, shop):
    before = shop.books()
    body = shop.body()
    inner = SMUGGLED + b"Content-Length: %d\r\n\r\n" % len(body) + body
    filler = b"x" * (MAX_BODY + 1)

    answers = statuses(edge.port, request(filler + inner), UNTIL_ANSWERED)

    assert 413 in answers
    assert shop.books() == before


def test_no_redirect_leads_to_the_clients_host_header(edge):
    for path in (b"/api/products/", b"/health/", b"//evil.example/%2e%2e"):
        sent = b"GET " + path + b" HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"

        answer = exchange(edge.port, sent, UNTIL_ANSWERED)

        assert b"evil.example" not in answer
        assert answer.startswith(b"HTTP/1.1 404 ")


def test_headers_have_room_for_a_jwt_and_little_more(edge, shop):
    fits = request(shop.body(), b"Authorization: Bearer " + b"a" * 8192)
    too_large = request(shop.body(), b"Authorization: Bearer " + b"a" * 64 * 1024)

    assert statuses(edge.port, fits, UNTIL_ANSWERED) == [202]
    assert statuses(edge.port, too_large, UNTIL_ANSWERED) in ([431], [])


def test_invented_methods_make_no_new_series(edge):
    def series():
        return edge.request("GET", "/metrics").body.count(b"flashsale_http_request_seconds_count")

    edge.request("X0", "/api/products")
    series()
    before = series()
    for number in range(1, 20):
        assert edge.request(f"X{number}", "/api/products").status == 405

    assert series() == before
