"""A Valkey as AWS offers it: TLS, users with passwords and rights, cluster mode.

No wheel of Valkey is built with TLS, so a small proxy here terminates TLS before a plain server.
Set TLS_SERVER to a valkey-server or redis-server with TLS to test without the proxy.
"""

import asyncio
import os
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import trustme
from cfnlint.decode import decode
from redis import Redis

from flashsale_local.paths import ROOT
from flashsale_local.stack.program import HOST, free_port
from flashsale_local.stack.stack import Stack
from flashsale_local.stack.valkey import valkey
from tests.helpers.support import eventually

PASSWORD = "not-to-be-told-0123456789"
ADMIN = "admin-of-the-test"


@dataclass(frozen=True)
class Secured:
    """A running server.

    Attributes:
        port: its TLS port.
        ca: file of the CA that signed its certificate.

    """

    port: int
    ca: Path
    cluster: bool

    def url(self, *, password: str = PASSWORD, host: str = HOST, ca: Path | None = None) -> str:
        """Return the URL for an application."""
        scheme = "rediss+cluster" if self.cluster else "rediss"
        return f"{scheme}://flashsale:{password}@{host}:{self.port}?ssl_ca_certs={ca or self.ca}"


def start(stack: Stack, ca: trustme.CA, *, cluster: bool) -> tuple[Secured, Callable[[], None]]:
    """Start a server. Return it and a function that stops it."""
    name = f"valkey-tls{'-cluster' if cluster else ''}"
    folder = stack.directory / name
    folder.mkdir()
    authority, chain, key = (folder / file for file in ("ca.pem", "chain.pem", "key.pem"))
    certificate = ca.issue_cert(HOST)
    ca.cert_pem.write_to_path(authority)
    certificate.private_key_pem.write_to_path(key)
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(chain, append=True)
    users = folder / "users.acl"
    users.write_text(
        f"user default off\nuser {ADMIN} on >{ADMIN} ~* &* +@all\n"
        f"user flashsale {deployed_rights()} >{PASSWORD}\n"
    )
    port, behind = free_port(), free_port()
    tls_server = os.environ.get("TLS_SERVER", "")
    plain = valkey(folder, port if tls_server else behind)
    options = ["--aclfile", str(users)]
    if cluster:
        options += ["--cluster-enabled", "yes", "--cluster-port", str(free_port())]
        options += ["--cluster-announce-ip", HOST]
    if tls_server:
        options += ["--port", "0", "--tls-port", str(port), "--tls-auth-clients", "no"]
        options += ["--tls-cluster", "yes"]
        options += ["--tls-cert-file", str(chain), "--tls-key-file", str(key)]
        options += ["--tls-ca-cert-file", str(authority)]
        admin = Redis(
            host=HOST, port=port, ssl=True, ssl_ca_certs=str(authority),
            username=ADMIN, password=ADMIN, decode_responses=True,
        )  # fmt: skip
    else:
        options += ["--cluster-announce-port", str(port)] if cluster else []
        admin = Redis(host=HOST, port=behind, username=ADMIN, password=ADMIN, decode_responses=True)
    command = [*plain.command, *options]
    if tls_server:  # the name makes it a server, because redis-tools of Debian has it as a checker
        command[0] = str(folder / "redis-server")
        Path(command[0]).symlink_to(tls_server)
    stack.add(replace(plain, name=name, command=command, ready=lambda: bool(admin.ping())))
    if cluster:
        admin.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        eventually(lambda: "cluster_state:ok" in admin.execute_command("CLUSTER", "INFO"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    end = None if tls_server else TlsEnd(port, behind, context)

    def stop() -> None:
        admin.close()
        if end:
            end.close()
        stack.supervisor.stop_program(name)

    return Secured(port, authority, cluster), stop


def deployed_rights() -> str:
    """Return the rights of the application's user from infra/aws/data.yaml."""
    template, problems = decode(str(ROOT / "infra" / "aws" / "data.yaml"))
    assert not problems
    return str(template["Mappings"]["Redis"]["User"]["Access"])


class TlsEnd:
    """Terminates TLS on `port` and forwards the bytes to `behind`."""

    def __init__(self, port: int, behind: int, context: ssl.SSLContext) -> None:
        self._behind = behind
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        serving = asyncio.start_server(self._serve, HOST, port, ssl=context)
        asyncio.run_coroutine_threadsafe(serving, self._loop).result(10)

    def close(self) -> None:
        """Stop listening."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, away = await asyncio.open_connection(HOST, self._behind)
        await asyncio.gather(_pump(reader, away), _pump(there, writer), return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
