"""ministack's copies of the functions' code: one for all workers, and none after a stop."""

import io
import zipfile
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

from flashsale_local.stack.program import free_port
from flashsale_local.stack.stack import Stack

WORKERS = 3
# Each call waits until all have begun, so each has a worker of its own.
HANDLER = """
import os, pathlib, time, inside_the_layer
def handler(event, context):
    folder = pathlib.Path(event["folder"])
    (folder / str(os.getpid())).touch()
    end = time.monotonic() + 30
    while len(list(folder.iterdir())) < event["workers"] and time.monotonic() < end:
        time.sleep(0.02)
    return inside_the_layer.ANSWER
"""


def _package(**files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/") + ".py", text)
    return packed.getvalue()


@pytest.fixture
def emulator(tmp_path):
    environment = {
        "REDIS_URL": "redis://elsewhere",
        "DATABASE_URL": "postgresql://elsewhere",
        "FLASHSALE_EMULATOR_PORT": str(free_port()),
    }
    stack = Stack(tmp_path / "stack", environment)
    (tmp_path / "stack").mkdir()
    stack.up(lambda _: None)
    yield stack
    stack.down()


def test_workers_share_one_copy_which_a_stop_deletes(emulator, tmp_path):
    client = boto3.client(
        "lambda",
        endpoint_url=emulator.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    layer = client.publish_layer_version(
        LayerName="layer", Content={"ZipFile": _package(python__inside_the_layer="ANSWER = 42")}
    )
    client.create_function(
        FunctionName="function",
        Runtime="python3.11",
        Role="arn:aws:iam::000000000000:role/any",
        Handler="app.handler",
        Timeout=60,
        Code={"ZipFile": _package(app=HANDLER)},
        Layers=[layer["LayerVersionArn"]],
    )
    (tmp_path / "calls").mkdir()
    payload = f'{{"folder": "{tmp_path / "calls"}", "workers": {WORKERS}}}'

    def call(_):
        return client.invoke(FunctionName="function", Payload=payload)["Payload"].read()

    with ThreadPoolExecutor(WORKERS) as threads:
        answers = list(threads.map(call, range(WORKERS)))

    copies = emulator.directory / "ministack"
    files = [path.name for path in copies.rglob("*.*") if path.suffix in (".py", ".zip")]
    assert answers == [b"42"] * WORKERS
    assert len(list((tmp_path / "calls").iterdir())) == WORKERS
    assert sorted(files) == ["_worker.py"] * WORKERS + ["app.py", "inside_the_layer.py"]

    emulator.down()

    assert not copies.exists()
