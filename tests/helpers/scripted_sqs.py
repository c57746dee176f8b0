"""A server with scripted answers in the place of SQS."""

import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
from botocore.config import Config

from flashsale.domain.messages import QueuedOrder
from flashsale.sqs_store.order_queue import OrderQueue
from tests.helpers.support import POLL

TAKEN = b'{"MessageId": "m-1"}'
ORDER = QueuedOrder(
    id="order-1", product_id="p-01", user_id="u-1", generation=4, correlation_id="c-1"
)


class Sqs:
    """An SQS with scripted answers: a status code, "hang", or "cut" (the connection)."""

    def __init__(self, *script):
        self.script = deque(script)
        self.bodies = []
        self.release = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                outer.bodies.append(self.rfile.read(int(self.headers["content-length"])))
                step = outer.script.popleft()
                if step == "hang":
                    outer.release.wait()
                    return
                if step == "cut":
                    return
                code = "ThrottlingException" if step == 400 else "InternalError"
                payload = TAKEN if step == 200 else f'{{"__type": "{code}"}}'.encode()
                self.send_response(step)
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(POLL,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


def queue_at(url):
    config = Config(connect_timeout=0.5, read_timeout=0.3, retries={"total_max_attempts": 1})
    sqs = boto3.client("sqs", endpoint_url=url, config=config)
    return OrderQueue(sqs, f"{url}/000000000000/orders")
