"""Send bytes to a server and parse its answers."""

import re
import socket
from contextlib import contextmanager, suppress

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
# Seconds to wait for an answer. Then the client shuts its side of the connection down.
PATIENCE = 0.5
# The same where an answer must come: a server drops a running request after the shutdown.
UNTIL_ANSWERED = 60


def statuses(port, sent, patience=PATIENCE):
    """Return the status of each answer to these bytes. It is empty after an immediate close."""
    return [int(status) for status in STATUS.findall(exchange(port, sent, patience))]


def exchange(port, sent, patience=PATIENCE):
    """Return what the server sends until it closes, or stays silent after an answer.

    Raises:
        TimeoutError: the server neither reads nor closes.

    """
    received = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        with _closed_in_the_middle():
            connection.sendall(sent)
        with _closed_in_the_middle():
            connection.settimeout(patience)
            with suppress(TimeoutError):
                _read(connection, received)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(60)
            _read(connection, received, whole=True)
    return bytes(received)


@contextmanager
def _closed_in_the_middle():
    """Ignore a connection that is closed while sending, because an answer may be readable."""
    try:
        yield
    except TimeoutError:
        raise
    except OSError:
        pass


def _read(connection, received, *, whole=False):
    while part := connection.recv(65536):
        received += part
        if not whole and _is_whole(bytes(received)):
            connection.settimeout(0.02)  # another answer, if it has arrived


def _is_whole(received):
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    return bool(length) and len(body) >= int(length[1])


def request(
    body=b"", *headers, line=b"POST /api/v5/buy HTTP/1.1", host=b"Host: localhost", length=True
):
    """Return the bytes of a request. Each header is a complete line."""
    lines = [line, host, *headers]
    if not any(header.lower().startswith(b"content-type:") for header in headers):
        lines.append(b"Content-Type: application/json")
    if length:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(filter(None, lines)) + b"\r\n\r\n" + body
