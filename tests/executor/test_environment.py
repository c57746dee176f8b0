"""The executor of LocalStack's host mode, tested with the real `awslambdaric`."""

import json
import threading

import pytest
from flashsale_executor.environment import Environment, InitError, Invocation

from flashsale_local.paths import LOCALSTACK_VENV

PYTHON = str(LOCALSTACK_VENV / "bin" / "python")

HANDLER = """
import os, time

def handler(event, context):
    print("got", event)
    if event.get("raise"):
        raise ValueError("boom")
    if event.get("sleep"):
        time.sleep(event["sleep"])
    if event.get("exit"):
        os._exit(3)
    if event.get("layer"):
        import in_layer
        return in_layer.X
    return {
        "request": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "left": context.get_remaining_time_in_millis(),
        "variable": os.environ.get("NUMBER"),
        "pid": os.getpid(),
    }
"""


@pytest.fixture
def make(tmp_path):
    started = []

    def start(code=HANDLER, layers=(), handler="app.handler"):
        folder = tmp_path / "code"
        folder.mkdir(exist_ok=True)
        (folder / "app.py").write_text(code)
        environment = Environment(PYTHON, handler, folder, layers)
        started.append(environment)
        environment.start({"NUMBER": 7, "AWS_REGION": "us-east-1"})
        return environment

    yield start
    for environment in started:
        environment.stop()


def invoke(environment, event, deadline=60.0, **fields):
    payload = json.dumps(event).encode()
    invocation = Invocation("id-1", payload, "arn:f", deadline=deadline, **fields)
    result = environment.invoke(invocation)
    return json.loads(result.payload), result


def test_an_answer_has_its_context_and_log_lines(make):
    answer, result = invoke(make(), {}, deadline=5.0)

    assert (answer["request"], answer["arn"], answer["variable"]) == ("id-1", "arn:f", "7")
    assert 0 < answer["left"] <= 5000
    assert not result.is_error
    lines = result.logs.splitlines()
    assert lines[:2] == ["START RequestId: id-1 Version: $LATEST", "got {}"]
    assert lines[2] == "END RequestId: id-1"
    assert lines[3].startswith("REPORT RequestId: id-1\tDuration: ")


def test_the_process_survives_an_error_of_the_handler(make):
    environment = make()
    before, _ = invoke(environment, {})

    error, result = invoke(environment, {"raise": True})
    after, _ = invoke(environment, {})

    assert result.is_error
    assert (error["errorMessage"], error["errorType"]) == ("boom", "ValueError")
    assert after["pid"] == before["pid"]


def test_a_timeout_replaces_the_process(make):
    environment = make()
    before, _ = invoke(environment, {})

    error, result = invoke(environment, {"sleep": 30}, deadline=0.5)
    after, _ = invoke(environment, {})

    assert result.is_error
    assert error["errorMessage"] == "id-1 Task timed out after 0.50 seconds"
    assert after["pid"] != before["pid"]


def test_a_process_that_exits_is_replaced(make):
    environment = make()

    error, result = invoke(environment, {"exit": True})
    after, _ = invoke(environment, {})

    assert result.is_error
    assert error == {
        "errorMessage": "Runtime exited with status 3",
        "errorType": "Runtime.ExitError",
    }
    assert after["request"] == "id-1"


@pytest.mark.parametrize(
    ("code", "handler", "message"),
    [
        ("import no_such_module", "app.handler", "No module named 'no_such_module'"),
        (HANDLER, "app.missing", "Handler 'missing' missing"),
        ("import os; os._exit(1)", "app.handler", "exited with status 1"),
    ],
)
def test_a_function_that_cannot_be_loaded_is_reported(make, code, handler, message):
    with pytest.raises(InitError) as raised:
        make(code, handler=handler)

    assert message in json.loads(raised.value.payload)["errorMessage"]


def test_layers_are_on_the_path(make, tmp_path):
    layer = tmp_path / "layer"
    (layer / "python").mkdir(parents=True)
    (layer / "python" / "in_layer.py").write_text("X = 42")

    assert invoke(make(layers=[layer]), {"layer": True})[0] == 42


def test_environments_run_concurrently(make):
    slow, quick = make(), make()
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(invoke(slow, {"sleep": 1})))
    waiting.start()

    answers.append(invoke(quick, {}))
    waiting.join()

    assert answers[0][0]["pid"] != answers[1][0]["pid"]


def test_the_logs_contain_all_output(make):
    environment = make()
    for number in range(3):
        invoke(environment, {"number": number})

    assert environment.logs().count("got {'number': ") == 3
