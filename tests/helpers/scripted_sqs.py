"""A server with scripted answers in the place of SQS."""

import json
import threading
from collections import deque

import botocore.session
from botocore.config import Config

from flashsale.domain.messages import QueuedOrder
from flashsale.sqs_store.order_queue import OrderQueue
from flashsale.sqs_store.prepared_sqs import PreparedSqs
from tests.helpers.post_server import PostServer

TAKEN = "taken"
ORDER = QueuedOrder(
    id="order-1", product_id="p-01", user_id="u-1", generation=4, correlation_id="c-1"
)


class Sqs(PostServer):
    """An SQS with scripted answers, one for each call.

    An answer is "hang", "cut" (the connection), 200 (all messages are taken), the status of an
    error, the code of an error with status 400, or a list with the outcome of each message: TAKEN,
    None (the response does not mention it), or its code. A code "Sender:…" is the sender's fault.
    """

    def __init__(self, *script):
        self.script = deque(script)
        self.bodies = []
        self.arrived = threading.Semaphore(0)  # one for each call
        self.release = threading.Event()
        # Seconds that a client waits for an answer: long, unless it has to give one up.
        self.read_timeout = 1.0 if "hang" in script else 30.0
        super().__init__()

    def answer_to(self, _path, _headers, body):
        step = self.script.popleft()
        self.bodies.append(body)
        self.arrived.release()
        if step == "hang":
            self.release.wait()
        if step in ("hang", "cut"):
            return None
        status, answer = _answer(step, json.loads(body)["Entries"])
        return status, {}, json.dumps(answer).encode()

    @property
    def messages(self):
        """The bodies of the messages of each call."""
        calls = [json.loads(body)["Entries"] for body in self.bodies]
        return [[entry["MessageBody"] for entry in entries] for entries in calls]

    @property
    def order_ids(self):
        """The order ids of each call."""
        return [[json.loads(body)["id"] for body in call] for call in self.messages]

    def queue(self, *, blocking=False):
        """Return a queue that is served here."""
        return queue_at(self.url, blocking=blocking, read_timeout=self.read_timeout)

    def close(self):
        self.release.set()
        super().close()


def _answer(step, entries):
    if isinstance(step, str):
        return 400, {"__type": f"com.amazonaws.sqs#{step}"}
    if isinstance(step, int) and step != 200:
        code = "ThrottlingException" if step == 400 else "InternalError"
        return step, {"__type": code}
    outcomes = [TAKEN] * len(entries) if step == 200 else step
    assert len(outcomes) == len(entries), (outcomes, entries)
    named = list(zip((entry["Id"] for entry in entries), outcomes, strict=True))
    return 200, {
        "Successful": [{"Id": id_, "MessageId": f"m-{id_}"} for id_, o in named if o == TAKEN],
        "Failed": [
            {
                "Id": id_,
                "Code": outcome.removeprefix("Sender:"),
                "SenderFault": outcome.startswith("Sender:"),
            }
            for id_, outcome in named
            if outcome not in (TAKEN, None)
        ],
    }


def queue_at(url, *, blocking=False, read_timeout=30.0):
    config = Config(connect_timeout=5, read_timeout=read_timeout, retries={"total_max_attempts": 1})
    session = botocore.session.get_session()
    session.set_config_variable("region", "us-east-1")
    session.set_credentials("an-id", "a-secret")
    with_endpoint = _At(session, url)
    return OrderQueue(
        PreparedSqs(with_endpoint, config), f"{url}/000000000000/orders", blocking=blocking
    )


class _At:
    """A session whose clients talk to one address."""

    def __init__(self, session, url):
        self._session = session
        self._url = url

    def create_client(self, name, **options):
        return self._session.create_client(name, endpoint_url=self._url, **options)

    def __getattr__(self, name):
        return getattr(self._session, name)
