"""The demo's troubles on the deployed application: what each generation loses, and why."""

from dataclasses import replace

import boto3
import psutil
import pytest

from flashsale_local.sale import kill, outage, troubles
from flashsale_local.sale.gate import Point
from flashsale_local.sale.kill import Gates
from tests.e2e.conftest import VISIBILITY_TIMEOUT


@pytest.fixture(scope="module")
def target(deployed, asgi_url):
    return replace(deployed, asgi_url=asgi_url)


@pytest.fixture
def run(new_product):
    """A name for products that no other test has."""
    return f"{id(new_product):x}"


@pytest.fixture
def workers(monkeypatch, stack):
    """The processes that were killed: of each, its pid."""
    seen = []
    add = stack.add

    def watch(program, *more):
        add(program, *more)
        main = psutil.Process(stack.supervisor.info()[program.name]["pid"])
        seen.extend([main, *main.children(recursive=True)])

    monkeypatch.setattr(stack, "add", watch)
    return seen


def assert_whole(stack, target, workers=()):
    """Check that nothing is left of the troubles."""
    programs = stack.supervisor.info()
    assert programs["postgres"]["statename"] == "RUNNING"
    assert stack.database.ready()
    assert "edge-to-kill" not in programs
    assert not [worker for worker in workers if worker.is_running()]
    queue = boto3.client("sqs").get_queue_attributes(
        QueueUrl=target.queues["orders"], AttributeNames=["VisibilityTimeout"]
    )
    assert queue["Attributes"]["VisibilityTimeout"] == str(VISIBILITY_TIMEOUT)


def test_v3_loses_in_an_outage_v4_one_by_a_kill_and_v5_nothing(stack, target, run, workers):
    made = troubles.make_troubles(stack, target, run)

    assert made.findings == []
    assert [outcome.lost for outcome in made.outage] == [0, 0, len(outage.BUYERS), 0, 0]
    assert [outcome.lost for outcome in made.killed] == [1, 0, 1, 1, 0]
    assert made.gaps == [f"demo-{run}-v4-kill"]
    assert workers
    assert_whole(stack, target, workers)


def test_a_kill_before_the_unit_is_taken_is_a_finding(stack, target, run, monkeypatch):
    """A demo that kills too early would show a V4 without its gap."""
    withhold = Gates.withhold

    def too_early(gates, products):
        points = withhold(gates, products)
        points[4] = Point(products[4])
        gates.redis.points = [points[4], points[5]]
        gates.sqs.points = []
        return points

    monkeypatch.setattr(Gates, "withhold", too_early)
    # V3 calls the same script, which would wait behind the withheld request.
    monkeypatch.setattr(kill, "GENERATIONS", (4, 5))

    made = troubles.make_troubles(stack, target, run)

    assert "V4, killed between its steps: lost is 0 of 1, and should be 1." in made.findings
    assert_whole(stack, target)


@pytest.mark.parametrize(
    ("module", "name"), [(kill, "_reach"), (outage, "buy")], ids=["in the kill", "in the outage"]
)
def test_the_stack_is_whole_after_an_interruption(
    stack, target, run, workers, monkeypatch, module, name
):
    async def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, name, interrupted)

    with pytest.raises(KeyboardInterrupt):
        troubles.make_troubles(stack, target, run)

    assert_whole(stack, target, workers)


def test_postgres_starts_again_if_its_stop_was_interrupted(stack, target, monkeypatch):
    def interrupted(name):
        monkeypatch.undo()
        # As Ctrl-C does: supervisord has the request, and nobody waits for its answer.
        stack.supervisor._call("stopProcess", name, False)
        raise KeyboardInterrupt

    monkeypatch.setattr(stack.supervisor, "stop_program", interrupted)
    with pytest.raises(KeyboardInterrupt), outage.without_postgres(stack):
        pass

    assert_whole(stack, target)
