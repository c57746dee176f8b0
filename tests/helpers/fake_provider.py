"""The fake provider in this process, and what receives its webhooks."""

import threading
from contextlib import contextmanager

import httpx
import uvicorn

from flashsale.provider.stripe import Stripe
from flashsale_local.fake_provider.actions import SECONDS
from flashsale_local.fake_provider.app import create_app
from flashsale_local.fake_provider.webhooks import Receiver
from flashsale_local.stack.program import HOST, free_port
from tests.helpers.post_server import PostServer
from tests.helpers.support import eventually

KEY = "sk_fake_of_these_tests"
WEBHOOK_SECRET = "whsec_of_these_tests"


class FakeProvider:
    """A fake provider that runs: its address, and what a buyer does there."""

    def __init__(self, url):
        self.url, self._client = url, httpx.Client(base_url=url, trust_env=False, timeout=60)

    def pay(self, intent_id, **wish):
        return self._client.post(f"/fake/payment_intents/{intent_id}/pay", json=wish)

    def intents(self):
        return {one["id"]: one for one in self._client.get("/fake/payment_intents").json()["data"]}

    def press_pay(self, intent_id, **headers):
        browser = {"Accept": "text/html,application/xhtml+xml", **headers}
        return self._client.post(f"/fake/payment_intents/{intent_id}/pay", headers=browser)

    def get(self, path, **more):
        return self._client.get(path, **more)

    def press(self, intent_id, action, back="", **headers):
        """Press a button of the page of a payment."""
        fields = {"payment": intent_id, "action": action, "return": back}
        return self._client.post("/pay", data=fields, headers=headers)

    def stripe(self):
        return Stripe(self.url, KEY)


@contextmanager
def fake_provider(receiver, seconds=SECONDS):
    """Run a fake provider until the end of the block.

    Args:
        seconds: that a late payment and a slow webhook take.

    """
    port = free_port()
    app = create_app(KEY, receiver, pause=0.01, seconds=seconds)
    config = uvicorn.Config(app, host=HOST, port=port, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    eventually(lambda: server.started)
    try:
        yield FakeProvider(f"http://{HOST}:{port}")
    finally:
        server.should_exit = True
        thread.join()


class WebhookReceiver(PostServer):
    """Keeps webhooks, and answers them with the next of `statuses`, then with 200."""

    def __init__(self):
        super().__init__()
        self.received, self.statuses = [], []
        self.receiver = Receiver(f"{self.url}/hook", {"X-Test": "yes"}, WEBHOOK_SECRET)

    def answer_to(self, path, headers, body):
        self.received.append((path, headers, body))
        return (self.statuses.pop(0) if self.statuses else 200), {}, b""
