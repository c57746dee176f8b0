"""An issuer of tokens for tests: keys of its own, published over HTTP, and tokens of any kind."""

import base64
import hashlib
import hmac
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt.api_jws
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from tests.support import POLL

NAME, AUDIENCE = "https://issuer.test", "shop"


class Issuer:
    """Signs with its newest key; publishes the public halves of all keys that it has."""

    def __init__(self):
        self.keys = {}
        self.fetches = 0
        self.broken = False
        self.resets = False
        # While this is clear, the document comes blank by blank, and has no end.
        self.hurries = threading.Event()
        self.hurries.set()
        # The same for single fetches, by their numbers.
        self.dribbling = set()
        self.url = ""
        self.add("rsa-1")

    def add(self, kid, kind="RS256"):
        """Make a key and sign with it from now on."""
        if kind == "RS256":
            self.keys[kid] = kind, rsa.generate_private_key(65537, 2048)
        else:
            self.keys[kid] = kind, ec.generate_private_key(ec.SECP256R1())
        self.newest = kid

    def document(self):
        """The JSON Web Key Set."""
        makers = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm}
        return {
            "keys": [
                {**makers[kind].to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}
                for kid, (kind, key) in self.keys.items()
            ]
        }

    def token(self, sub="u-00001", *, kid=None, headers=None, **changes):
        """A token that is valid but for `changes`; a claim that is None is left out."""
        now = int(time.time())
        claims = {"iss": NAME, "aud": AUDIENCE, "sub": sub, "iat": now, "exp": now + 600, **changes}
        claims = {name: value for name, value in claims.items() if value is not None}
        kind, key = self.keys[kid or self.newest]
        # Below the part of the library that refuses to sign what makes no sense.
        headers = {"kid": kid or self.newest, **(headers or {})}
        return jwt.api_jws.encode(json.dumps(claims).encode(), key, kind, headers)

    def confused_token(self, sub="u-00001"):
        """Signed by HMAC, with what everybody can read, the public key, as the secret."""
        pem = (
            self.keys[self.newest][1]
            .public_key()
            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
        return forged(self.token(sub), {"alg": "HS256", "kid": self.newest}, pem)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Publish the keys on a port of this machine."""
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.fetches += 1
                number = issuer.fetches
                self.send_response(500 if issuer.broken else 200)
                self.end_headers()
                if issuer.resets:
                    lingers_not = struct.pack("ii", 1, 0)
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lingers_not)
                    self.server.shutdown_request = self.server.close_request
                    return
                with suppress(ConnectionError):  # who asked may be gone
                    while not issuer.hurries.wait(0.02) or number in issuer.dribbling:
                        self.wfile.write(b" ")
                        time.sleep(0.02)
                    self.wfile.write(json.dumps(issuer.document()).encode())

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(POLL,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/keys"
        finally:
            issuer.hurries.set()
            issuer.dribbling.clear()
            server.shutdown()
            server.server_close()


def forged(token, header, secret=None):
    """The same claims below another header; signed by HMAC if there is a secret, else unsigned."""
    signed = f"{_encode(json.dumps(header).encode())}.{token.split('.')[1]}"
    signature = hmac.digest(secret, signed.encode(), hashlib.sha256) if secret else b""
    return f"{signed}.{_encode(signature)}"


def _encode(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
