"""Requests to buy, good and bad. PRODUCT stands for the product, USER for the buyer."""

from dataclasses import dataclass, field

from flashsale.http.limits import MAX_BODY

JSON = (b"content-type", b"application/json")
GOOD = b'{"productId": "PRODUCT", "userId": "u-00001"}'


@dataclass(frozen=True)
class Request:
    """One request, and how often it is sent."""

    body: bytes | tuple[bytes, ...] = GOOD
    headers: tuple[tuple[bytes, bytes], ...] = (JSON,)
    method: str = "POST"
    slash: str = ""
    query: bytes = b""
    times: int = 1
    generation: int = field(default=5)
    gone: bool = False

    @property
    def path(self):
        """Return the path of the route."""
        return f"/api/v{self.generation}/buy{self.slash}"


def keyed(*keys):
    """Return a request with these Idempotency-Keys, which is sent twice."""
    return Request(headers=(JSON, *((b"idempotency-key", key) for key in keys)), times=2)


def typed(*types):
    """Return a request with these media types."""
    return Request(headers=tuple((b"content-type", one) for one in types))


def quantity(text):
    """Return a request for a quantity."""
    return Request(b'{"productId": "PRODUCT", "userId": "u-00001", "quantity": %s}' % text)


REQUESTS = {
    "good": Request(),
    "good, twice": Request(times=2),
    "two units": quantity(b"2"),
    "no units": quantity(b"0"),
    "NaN units": quantity(b"NaN"),
    "true units": quantity(b"true"),
    "1.0 units": quantity(b"1.0"),
    "1e0 units": quantity(b"1e0"),
    "units as text": quantity(b'"1"'),
    "endless units": quantity(b"9" * 5000),
    "null units": quantity(b"null"),
    "no body": Request(b""),
    "cut JSON": Request(GOOD[:-1]),
    "more than JSON": Request(GOOD + b"}"),
    "blanks around": Request(b" \n" + GOOD + b"\t "),
    "a byte order mark": Request(b"\xef\xbb\xbf" + GOOD),
    "UTF-16": Request(GOOD.decode().encode("utf-16")),
    "no UTF-8": Request(b'{"productId": "PRODUCT", "userId": "\xff"}'),
    "half a character": Request(b'{"productId": "PRODUCT", "userId": "\\ud800"}'),
    "an escape": Request(b'{"productId": "PRODUCT", "userId": "\\u0075-00001"}'),
    "a name twice": Request(b'{"userId": "u-00002", "productId": "PRODUCT", "userId": "u-00001"}'),
    "an unknown name": Request(b'{"productId": "PRODUCT", "userId": "u-00001", "x": 1}'),
    "a name of Python": Request(b'{"product_id": "PRODUCT", "userId": "u-00001"}'),
    "no product": Request(b'{"userId": "u-00001"}'),
    "no user": Request(b'{"productId": "PRODUCT"}'),
    "null user": Request(b'{"productId": "PRODUCT", "userId": null}'),
    "an unknown user": Request(b'{"productId": "PRODUCT", "userId": "nobody"}'),
    "another product": Request(b'{"productId": "no-such-thing", "userId": "u-00001"}'),
    "a brace": Request(b'{"productId": "{PRODUCT}", "userId": "u-00001"}'),
    "a number as id": Request(b'{"productId": 5, "userId": "u-00001"}'),
    "a foreign letter": Request('{"productId": "PRODUCT", "userId": "ü"}'.encode()),
    "a list": Request(b"[1]"),
    "a number": Request(b"5"),
    "null": Request(b"null"),
    "deep": Request(b"[" * 8000),
    "deep and unknown": Request(GOOD[:-1] + b', "x": ' + b"[" * 3000 + b"]" * 3000 + b"}"),
    "too large": Request(b"x" * (MAX_BODY + 1)),
    "too large by blanks": Request(GOOD + b" " * MAX_BODY),
    "no type": typed(),
    "an empty type": typed(b""),
    "text": typed(b"text/plain"),
    "a form": typed(b"application/x-www-form-urlencoded"),
    "JSON with charset": typed(b"application/json; charset=utf-8"),
    "loud JSON": typed(b" Application/JSON "),
    "a kind of JSON": typed(b"application/vnd.api+json"),
    "JSON and text": typed(b"application/json, text/plain"),
    "JSON and a slash": typed(b"application/json/x"),
    "text after JSON": typed(b"application/jsonx"),
    "a key": keyed(b"PRODUCT"),
    "an empty key": keyed(b""),
    # A product has 14 letters.
    "a key of 128": keyed(b"PRODUCT" + b"k" * 114),
    "a key of 129": keyed(b"PRODUCT" + b"k" * 115),
    "a key with a blank": keyed(b"a b"),
    "a key with a comma": keyed(b"a,b"),
    "a key of Latin-1": keyed(b"\xe9"),
    "an admission": Request(headers=(JSON, (b"admission", b"a.b-c_d"))),
    "an admission that is none": Request(headers=(JSON, (b"admission", b"a b"))),
    "an admission with a comma": Request(headers=(JSON, (b"admission", b"a,b"))),
    "GET": Request(b"", method="GET"),
    "HEAD": Request(b"", method="HEAD"),
    "PUT": Request(method="PUT"),
    "OPTIONS": Request(b"", method="OPTIONS"),
    "a slash": Request(slash="/"),
    "two slashes": Request(slash="//"),
    "a query": Request(query=b"productId=x&userId=y"),
    "a page of the shop": Request(headers=(JSON, (b"origin", b"https://shop.example"))),
    "a page of another": Request(headers=(JSON, (b"origin", b"https://evil.example"))),
    "a preflight": Request(
        b"",
        method="OPTIONS",
        headers=(
            (b"origin", b"https://shop.example"),
            (b"access-control-request-method", b"POST"),
        ),
    ),
}

# What API Gateway does not pass on in this form.
ON_THE_WIRE = {
    "in pieces": Request((GOOD[:5], b"", GOOD[5:])),
    "in pieces, bad": Request((GOOD[:5], GOOD[5:], b"}")),
    "pieces too large": Request((b"x" * MAX_BODY, b"x")),
    "gone at once": Request((), gone=True),
    "gone after a whole text": Request((GOOD,), gone=True),
    "gone in the middle": Request((GOOD[:5],), gone=True),
    "two keys": keyed(b"a", b"b"),
    "two types": typed(b"application/json", b"application/json"),
    "two admissions": Request(headers=(JSON, (b"admission", b"a"), (b"admission", b"b"))),
    "another coding": Request(headers=(JSON, (b"transfer-encoding", b"gzip"))),
    "a wrong length": Request(headers=(JSON, (b"content-length", b"99999"))),
}
