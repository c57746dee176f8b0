"""The ASGI edge, served by granian with two web workers, when the disk of its metrics is full."""

import asyncio
import os
import re
import subprocess
import sys
from contextlib import suppress

import httpx
import psutil
import pytest

from flashsale.redis_store.relay_inbox import ALIVE, INBOX
from flashsale_local.deployment import sign_in
from flashsale_local.paths import ROOT, SOURCE_ROOTS
from flashsale_local.stack.edge import SERVE
from flashsale_local.stack.program import free_port
from tests.helpers.support import USERS, eventually
from tests.integration.full_disk import Limit, Tmpfs

# Unexpected requests, so that each needs room in the folder for the first time.
NEW_LABELS = [
    (method, path)
    for path in ("/openapi.json", "/docs", "/health", "/api/products/no-such", "/nowhere")
    for method in ("GET", "HEAD", "PUT", "PATCH", "INVENTED")
]
ACCEPTED = 'flashsale_claims_total{generation="5",outcome="accepted"}'
NEW = 'flashsale_http_request_seconds_count{method="other",route="",status="404"}'


class Edge:
    """A running edge. Each request uses a new connection, so that any worker may answer."""

    def __init__(self, url, process, log):
        self.url, self._process, self._log = url, process, log

    @property
    def workers(self):
        """Its web workers by process id, without the helper process of multiprocessing."""
        workers = {}
        for child in psutil.Process(self._process.pid).children():
            with suppress(psutil.NoSuchProcess):  # the process has just ended
                if "resource_tracker" not in " ".join(child.cmdline()):
                    workers[child.pid] = child
        return workers

    @property
    def log(self):
        return self._log.read_text(errors="replace")

    def ask(self, method, path, **more):
        return httpx.request(method, f"{self.url}{path}", timeout=30, **more)

    def is_complete(self):
        """Return whether all workers serve. granian hangs if it is stopped while one starts."""
        spawned, started = (self.log.count(f"{what} worker-") for what in ("Spawning", "Started"))
        return 2 <= spawned == started and len(self.workers) == 2

    def buy(self, product_id, count):
        body = {"productId": product_id, "userId": USERS[0]}
        return [self.ask("POST", "/api/v5/buy", json=body).status_code for _ in range(count)]

    def metrics(self):
        answer = self.ask("GET", "/metrics")
        assert answer.status_code == 200, answer.text
        return {
            sample: float(value)
            for sample, value in re.findall(r"^(\w+(?:{.*})?) (\S+)$", answer.text, re.MULTILINE)
        }

    def accepted(self, count):
        """The metrics once so many purchases are counted, just after the last one's answer."""
        return eventually(lambda: (f := self.metrics())[ACCEPTED] == count and f)


@pytest.fixture
def edge(migrated, tmp_path):
    """Starts the edge with its metrics in a folder; SQS is a closed port."""
    running = []

    def start(folder):
        port, log = free_port(), tmp_path / "edge.log"
        environment = {
            **os.environ,
            **sign_in.settings("none", ""),
            "PYTHONPATH": SOURCE_ROOTS,
            "REDIS_URL": migrated.redis_url,
            "DATABASE_URL": migrated.database_url,
            "ORDERS_QUEUE_URL": migrated.orders_queue_url,
            "PROMETHEUS_MULTIPROC_DIR": str(folder),
            "GRANIAN_HOST": "127.0.0.1",
            "GRANIAN_PORT": str(port),
            "GRANIAN_WORKERS": "2",
        }
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *SERVE],
                env=environment, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        running.append(process)
        edge = Edge(f"http://127.0.0.1:{port}", process, log)
        eventually(edge.is_complete)
        return edge

    yield start
    for process in running:
        process.terminate()
    for process in running:
        process.wait(timeout=30)


@pytest.fixture(autouse=True)
async def relayed(services):
    """Keeps web workers from relaying: a purchase would count only when its relaying ends."""
    await services.redis.set(ALIVE, 1)
    yield
    await services.redis.delete(ALIVE, INBOX)


@pytest.fixture(params=["tmpfs", "limit"])
def disk(request, tmp_path):
    folder = tmp_path / "metrics"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if request.param == "limit" or subprocess.run(mount, check=False).returncode:
        yield Limit(folder)
        return
    yield Tmpfs(folder)
    subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_full_disk_and_new_labels_stop_neither_the_sale_nor_a_worker(
    edge, disk, new_product
):
    product_id = await new_product(100)
    edge = await asyncio.to_thread(edge, disk.folder)
    workers = set(edge.workers)

    disk.fill(edge)
    (disk.folder / "counter_1.db").touch()  # a new name needs no space
    answers = [edge.ask(*request).status_code for _ in range(4) for request in NEW_LABELS]

    assert edge.buy(product_id, 20) == [202] * 20
    assert len(answers) == 4 * len(NEW_LABELS)
    metrics = edge.accepted(20)
    assert metrics["flashsale_metrics_unreadable_files"] == 1

    def known_to_all():
        return all(edge.metrics()["flashsale_metrics_unkept_series"] > 0 for _ in range(8))

    await asyncio.to_thread(eventually, known_to_all)
    assert 1 <= edge.log.count("stay in its memory") <= 2, "logged once by each worker"
    assert edge.log.count("counter_1.db") <= 2

    (disk.folder / "counter_1.db").unlink()
    disk.free(edge)
    assert edge.buy(product_id, 10) == [202] * 10

    # Values that were counted in memory are shown by each worker.
    def whole():
        metrics = [edge.metrics() for _ in range(8)]
        return all(
            (one[ACCEPTED], one.get(NEW)) == (30, 4)
            and one["flashsale_metrics_unkept_series"] == 0
            and one["flashsale_metrics_unreadable_files"] == 0
            for one in metrics
        )

    await asyncio.to_thread(eventually, whole)
    assert set(edge.workers) == workers
    assert "are kept in" in edge.log


async def test_workers_that_are_killed_leave_their_metrics_and_no_more_files(
    edge, tmp_path, new_product
):
    product_id = await new_product(100)
    folder = tmp_path / "metrics"
    folder.mkdir()
    edge = await asyncio.to_thread(edge, folder)
    assert edge.buy(product_id, 6) == [202] * 6
    edge.accepted(6)

    for _ in range(3):
        # The oldest worker, because granian stops if a new one dies at once.
        oldest = min(edge.workers.values(), key=psutil.Process.create_time)
        oldest.kill()

        def replaced(dead=oldest.pid):
            return edge.is_complete() and dead not in edge.workers

        await asyncio.to_thread(eventually, replaced)
        edge.accepted(6)

    assert edge.buy(product_id, 6) == [202] * 6
    edge.accepted(12)
    assert len(list(folder.iterdir())) == 2


async def test_a_damaged_file_of_a_dead_worker_hides_no_others(edge, tmp_path, new_product):
    product_id = await new_product(10)
    folder = tmp_path / "metrics"
    folder.mkdir()
    edge = await asyncio.to_thread(edge, folder)
    content = min(folder.glob("*.db")).read_bytes()
    for name, torn in {"empty": b"", "short": content[:5000], "noise": b"noise" * 999}.items():
        (folder / f"histogram_{name}.db").write_bytes(torn)

    assert edge.buy(product_id, 4) == [202] * 4

    metrics = edge.accepted(4)
    assert metrics["flashsale_metrics_unreadable_files"] == 3
    eventually(lambda: "histogram_short.db" in edge.log)


@pytest.mark.parametrize("folder", ["/proc/no-folder-can-be-made-here", "a file/below"])
async def test_without_a_folder_the_edge_sells_and_warns(edge, tmp_path, new_product, folder):
    (tmp_path / "a file").touch()
    product_id = await new_product(10)
    edge = await asyncio.to_thread(edge, tmp_path / folder)

    assert edge.buy(product_id, 4) == [202] * 4

    metrics = edge.metrics()
    assert 0 <= metrics[ACCEPTED] <= 4
    assert metrics["flashsale_metrics_unkept_series"] > 0
    assert "PROMETHEUS_MULTIPROC_DIR" in edge.log
