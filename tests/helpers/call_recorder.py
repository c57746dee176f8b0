"""A Lambda function in this process whose calls to AWS are recorded."""

import asyncio
import importlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from unittest.mock import patch

import boto3
import botocore.session

from flashsale.runtime import process
from flashsale.services import Services
from flashsale.sqs_store import prepared_sqs
from flashsale_local.deployment import sign_in
from tests.helpers import iam
from tests.helpers.support import LambdaContext

SECRET = "s" * 32
# Operations whose action has a different name in IAM.
ACTIONS = {"sqs:SendMessageBatch": "sqs:SendMessage"}


class Recorder:
    """A function's handler with the environment of the template. It records calls to AWS."""

    def __init__(self, folder, settings, monkeypatch):
        self.calls = set()
        self.settings = settings
        self._function = iam.functions()[folder]
        self._folder = folder
        self._sqs = boto3.client("sqs")
        queues = iam.of_type("AWS::SQS::Queue")
        self.queues = {name: self._sqs.create_queue(QueueName=name)["QueueUrl"] for name in queues}
        variables = iam.of_type("AWS::Lambda::Function")[self._function]["Environment"]["Variables"]
        for name, value in variables.items():
            queue = self.queues.get(iam.target(value))
            if queue:
                monkeypatch.setenv(name, queue)
        monkeypatch.setenv("REDIS_URL", settings.redis_url)
        monkeypatch.setenv("DATABASE_URL", settings.database_url)
        for name, value in sign_in.settings("none", SECRET).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", self._function)

    def refuse(self):
        """Delete all queues, so that SQS rejects the calls."""
        for url in self.queues.values():
            self._sqs.delete_queue(QueueUrl=url)

    def run(self, use_case):
        """Prepare the stores without recording."""

        async def with_services():
            services = Services(self.settings)
            try:
                return await use_case(services)
            finally:
                await services.close()

        return process._runner().run(with_services())

    def handle(self, event):
        """Invoke the function and record its calls."""
        handler = importlib.import_module(f"functions.{self._folder}.app").handler
        session = boto3.Session()
        session.events.register("provide-client-params", self._note)
        process.services.cache_clear()
        botocores = session._session
        with (
            patch.object(boto3, "DEFAULT_SESSION", session),
            patch.object(botocore.session, "get_session", lambda: botocores),
            # Its calls have no events. A unit test holds that they are those of boto3.
            patch.object(prepared_sqs, "PreparedSqs", _boto3s_own),
        ):
            if self._folder in ("buy", "admin"):
                answer = _on_a_loop_of_its_own(handler, event)
            else:
                answer = handler(event, LambdaContext())
                process.run(lambda services: services.close())
        process.services.cache_clear()
        return answer

    def _note(self, params, model, **_):
        action = f"{model.service_model.service_name}:{model.name}"
        urls = {url: name for name, url in self.queues.items()}
        self.calls.add((ACTIONS.get(action, action), urls.get(params.get("QueueUrl"), "?")))


def _on_a_loop_of_its_own(handler, event):
    """Give Mangum a current event loop, because an earlier test may have closed it."""
    begin = partial(asyncio.set_event_loop, asyncio.new_event_loop())
    with ThreadPoolExecutor(1, initializer=begin) as thread:
        return thread.submit(handler, event, LambdaContext()).result()


def _boto3s_own(session, config):
    return session.create_client("sqs", config=config)
