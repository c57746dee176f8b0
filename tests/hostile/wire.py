"""Bytes to a server, and what it makes of them."""

import re
import socket

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
# Seconds in which a server answers what it can answer; then it is told that no more will come.
PATIENCE = 0.5


def statuses(port, sent):
    """The status of each answer to these bytes; none where the connection was closed at once."""
    return [int(status) for status in STATUS.findall(exchange(port, sent))]


def exchange(port, sent):
    """All that the server says, until it closes, or has said something and stays silent."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        received = b""
        try:
            connection.sendall(sent)
            connection.settimeout(PATIENCE)
            received += _answers(connection)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(60)
            received += _answers(connection)
        except (ConnectionError, TimeoutError, OSError):
            pass  # closed in the middle of what we say: an answer, too
        return received


def _answers(connection):
    received = b""
    try:
        while part := connection.recv(65536):
            received += part
            if _is_whole(received):
                connection.settimeout(0.02)  # another answer, if it is there already
    except TimeoutError:
        pass
    return received


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
