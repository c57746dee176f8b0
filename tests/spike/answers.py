"""A small HTTP server that gives prepared answers in turn, and counts them by kind."""

import collections
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from flashsale_local.sale.answers import AnswerKind, classify_answer
from tests.helpers.support import POLL

# (status, body). Without a status, the answer is not HTTP.
ANSWERS = [
    (202, b"{}"),
    (201, b"{}"),
    (429, b""),
    (500, b'{"__type": "TooManyRequestsException"}'),
    (503, b"{}"),
    (None, b""),
    (409, b'{"code":"sold_out"}'),
    (409, b'{"code":"sale_not_open"}'),
    (400, b'{"error": "Bad Request", "message": "Out of stock"}'),
    (404, b"{}"),
    (307, b""),
]


class AnsweringServer(ThreadingHTTPServer):
    """Counts its answers by kind and keeps the requests. Each answer takes `seconds`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answers, seconds):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.kinds = collections.Counter()
        self.requests = []
        self._answers = itertools.cycle(answers)
        self.seconds = seconds
        self._lock = threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def next_answer(self, request):
        with self._lock:
            status, body = next(self._answers)
            self.kinds[AnswerKind.FAILED if status is None else classify_answer(status, body)] += 1
            self.requests.append(request)
            return status, body


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        sent = self.rfile.read(int(self.headers["content-length"]))
        time.sleep(self.server.seconds)
        status, body = self.server.next_answer((self.path, self.headers["host"], sent))
        if status is None:
            self.wfile.write(b"no HTTP\r\n\r\n")
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        if status == 307:
            self.send_header("location", "/elsewhere")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def answering(answers=ANSWERS, seconds=0.0) -> Iterator[AnsweringServer]:
    with AnsweringServer(answers, seconds) as server:
        thread = threading.Thread(target=server.serve_forever, args=(POLL,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
