"""The prepared request is boto3's own: same address, same body, same signature, same errors."""

import datetime as dt
import json
import socket

import botocore.auth
import botocore.session
import pytest
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from flashsale.sqs_store.errors import certainly_refused, code_is_bug
from flashsale.sqs_store.prepared_sqs import PreparedSqs
from flashsale_local.stack.program import free_port
from tests.helpers.post_server import PostServer

ENTRIES = [{"Id": "0", "MessageBody": '{"id": "größe"}'}, {"Id": "1", "MessageBody": "two"}]
CALL = {
    "QueueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/orders",
    "Entries": ENTRIES,
}
CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=0.5, read_timeout=5)
NOW = dt.datetime(2026, 11, 28, 12, 0, tzinfo=dt.UTC)


class Recorder(PostServer):
    """A server that answers as told and keeps the requests."""

    def __init__(self):
        self.requests = []
        self.answer = (200, {}, b'{"Successful": [{"Id": "0", "MessageId": "m-0"}], "Failed": []}')
        super().__init__()

    def answer_to(self, path, headers, body):
        self.requests.append((path, headers, body))
        return self.answer


@pytest.fixture
def recorder():
    recorder = Recorder()
    yield recorder
    recorder.close()


@pytest.fixture
def environment(monkeypatch, recorder):
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", recorder.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a-session-token")
    return monkeypatch


def prepared():
    return PreparedSqs(botocore.session.get_session(), CONFIG)


def boto():
    return botocore.session.get_session().create_client("sqs", config=CONFIG)


def test_the_request_is_that_of_boto3(environment, recorder):
    environment.setattr(botocore.auth, "get_current_datetime", lambda: NOW)
    # Where the package awscrt is installed, boto3 signs by it, with a clock of its own.
    environment.setitem(botocore.auth.AUTH_TYPE_MAPS, "v4", botocore.auth.SigV4Auth)

    prepared().send_message_batch(**CALL)
    boto().send_message_batch(**CALL)

    (path, ours, body), (boto_path, theirs, boto_body) = recorder.requests
    assert (path, json.loads(body)) == (boto_path, json.loads(boto_body))
    assert body == boto_body
    same = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Target", "Content-Type")
    assert {name: ours[name] for name in same} == {name: theirs[name] for name in same}


def test_the_answer_is_that_of_boto3(environment, recorder):
    ours, theirs = prepared().send_message_batch(**CALL), boto().send_message_batch(**CALL)

    assert ours["Successful"] == theirs["Successful"]


@pytest.mark.parametrize(
    ("status", "headers", "payload"),
    [
        (400, {}, b'{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no such queue"}'),
        (
            400,
            {"x-amzn-query-error": "AWS.SimpleQueueService.NonExistentQueue;Sender"},
            b'{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no such queue"}',
        ),
        (400, {}, b'{"__type": "com.amazonaws.sqs#InvalidMessageContents", "message": "x"}'),
        (403, {}, b'{"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "no"}'),
        (400, {}, b'{"__type": "ThrottlingException"}'),
        (500, {}, b'{"__type": "com.amazonaws.sqs#InternalError"}'),
        (502, {"Content-Type": "text/html"}, b"<html>Bad Gateway</html>"),
        (503, {}, b""),
    ],
)
def test_an_error_means_what_it_means_to_boto3(environment, recorder, status, headers, payload):
    recorder.answer = (status, headers, payload)
    errors = []
    for client in (prepared(), boto()):
        with pytest.raises(ClientError) as raised:
            client.send_message_batch(**CALL)
        errors.append(raised.value)

    ours, theirs = errors
    meanings = [
        (
            certainly_refused(e),
            code_is_bug(e.response["Error"]["Code"]),
            e.response["Error"]["Code"],
        )
        for e in (ours, theirs)
    ]
    if payload.startswith(b"{"):
        assert meanings[0] == meanings[1]
    assert meanings[0][0] is (400 <= status < 500)
    assert ours.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_a_closed_port_is_the_error_of_boto3(environment):
    environment.setenv("AWS_ENDPOINT_URL_SQS", f"http://127.0.0.1:{free_port()}")

    with pytest.raises(EndpointConnectionError):
        prepared().send_message_batch(**CALL)


def test_without_credentials_nothing_is_sent(environment, recorder):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        environment.delenv(name)
    environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
    environment.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    environment.setenv("AWS_CONFIG_FILE", "/nonexistent")

    with pytest.raises(NoCredentialsError) as raised:
        prepared().send_message_batch(**CALL)

    assert certainly_refused(raised.value)
    assert not recorder.requests


def test_credentials_that_were_refreshed_sign_the_next_call(environment, recorder):
    keys = iter(["FIRST", "SECOND", "THIRD"])

    def refresh():
        soon = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)
        return {
            "access_key": next(keys),
            "secret_key": "s",
            "token": "t",
            "expiry_time": soon.isoformat(),
        }

    session = botocore.session.get_session()
    session._credentials = RefreshableCredentials.create_from_metadata(
        refresh(), refresh_using=refresh, method="test"
    )
    sqs = PreparedSqs(session, CONFIG)

    sqs.send_message_batch(**CALL)
    sqs.send_message_batch(**CALL)

    used = [
        headers["Authorization"].split("Credential=")[1][:5] for _, headers, _ in recorder.requests
    ]
    assert used == ["SECON", "THIRD"]


def test_calls_share_a_connection(environment, recorder):
    sqs = prepared()

    for _ in range(3):
        sqs.send_message_batch(**CALL)

    pool = sqs._connections.connection_from_url(recorder.url)
    assert (pool.num_connections, pool.num_requests) == (1, 3)


def test_tcp_keeps_an_idle_connection_alive(environment, recorder):
    """A NAT gateway forgets an idle connection. The next push over it would time out."""
    sqs = PreparedSqs(botocore.session.get_session(), CONFIG.merge(Config(tcp_keepalive=True)))

    sqs.send_message_batch(**CALL)

    connection = sqs._connections.connection_from_url(recorder.url).pool.get_nowait()
    assert connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
