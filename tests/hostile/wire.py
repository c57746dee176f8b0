"""Bytes to a server, and what it makes of them."""

import re
import socket
from contextlib import contextmanager, suppress

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
# Seconds in which a server answers what it can answer; then it is told that no more will come.
PATIENCE = 0.5
# The same for what must be answered: who is told so drops the request that he is busy with.
UNTIL_ANSWERED = 60


def statuses(port, sent, patience=PATIENCE):
    """The status of each answer to these bytes; none where the connection was closed at once."""
    return [int(status) for status in STATUS.findall(exchange(port, sent, patience))]


def exchange(port, sent, patience=PATIENCE):
    """All that the server says, until it closes, or has said something and stays silent.

    Raises:
        TimeoutError: it neither reads nor closes.

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
    """That is an answer, too, and there may be more of it to read."""
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
            connection.settimeout(0.02)  # another answer, if it is there already


def _is_whole(received):
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    return bool(length) and len(body) >= int(length[1])


def request(
    body=b"", *headers, line=b"POST /api/v5/buy HTTP/1.1", host=b"Host: localhost", length=True
):
    """A request; each header is a whole line."""
    lines = [line, host, *headers]
    if not any(header.lower().startswith(b"content-type:") for header in headers):
        lines.append(b"Content-Type: application/json")
    if length:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(filter(None, lines)) + b"\r\n\r\n" + body
