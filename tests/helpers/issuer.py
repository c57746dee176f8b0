"""An issuer of tokens for tests. It publishes keys over HTTP and makes tokens of any kind."""

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

from tests.helpers.support import POLL

NAME, AUDIENCE = "https://issuer.test", "shop"


class Issuer:
    """Signs with its newest key, and publishes all its public keys."""

    def __init__(self):
        self.keys = {}
        self.fetches = 0
        self.broken = False
        self.resets = False
        # While this is clear, the document is an endless sequence of single blanks.
        self.hurries = threading.Event()
        self.hurries.set()
        # Numbers of single fetches with the same answer.
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
        """Return the JSON Web Key Set."""
        makers = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm}
        return {
            "keys": [
                {**makers[kind].to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}
                for kid, (kind, key) in self.keys.items()
            ]
        }

    def token(self, sub="u-00001", *, kid=None, headers=None, **changes):
        """Return a token that is valid except for `changes`. A claim of None is omitted."""
        now = int(time.time())
        claims = {"iss": NAME, "aud": AUDIENCE, "sub": sub, "iat": now, "exp": now + 600, **changes}
        claims = {name: value for name, value in claims.items() if value is not None}
        kind, key = self.keys[kid or self.newest]
        # Bypasses the check of the library that rejects invalid claims.
        headers = {"kid": kid or self.newest, **(headers or {})}
        return jwt.api_jws.encode(json.dumps(claims).encode(), key, kind, headers)

    def confused_token(self, sub="u-00001"):
        """Return a token signed by HMAC with the public key as the secret."""
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
                with suppress(ConnectionError):  # the client may have disconnected
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
    """Return the claims with another header, signed by HMAC if there is a secret."""
    signed = f"{_encode(json.dumps(header).encode())}.{token.split('.')[1]}"
    signature = hmac.digest(secret, signed.encode(), hashlib.sha256) if secret else b""
    return f"{signed}.{_encode(signature)}"


def _encode(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
