"""Metrics files of web workers: damaged ones, and workers that continue the file of a dead one."""

import os
import subprocess
import sys

import pytest

from flashsale_local.paths import SOURCE_ROOTS
from flashsale_server.edge import metrics_file
from flashsale_server.edge.metrics_file import (
    HEADER,
    CorruptFile,
    encode_header,
    encode_record,
    parse,
)

KEY = b'["counter", "flashsale_claims", "flashsale_claims_total", {"generation": "5"}, "Purchases"]'
SIZE = HEADER.size
RECORD = encode_record(KEY, 7)
WHOLE = encode_header(SIZE + len(RECORD)) + RECORD
# A process for each worker: metric values belong to a process.
WORKER = """
import sys
from flashsale_server.edge.counting_queue import ENVELOPES
from flashsale_server.edge.process_metrics import PROCESS_METRICS
from flashsale_server.edge.aggregation import exposition
PROCESS_METRICS.open_in(sys.argv[1], lambda write: write())
ENVELOPES.inc()
exec(sys.argv[2])
print(exposition().decode())
"""


def worker(folder, then="", **variables):
    return subprocess.run(
        [sys.executable, "-c", WORKER, str(folder), then],
        env={**os.environ, "PYTHONPATH": SOURCE_ROOTS, **variables},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip


def shown(done, name):
    (line,) = [line for line in done.stdout.splitlines() if line.startswith(f"{name} ")]
    return float(line.split()[1])


def test_written_values_are_read():
    (row,) = parse(WHOLE).values.values()

    assert row.value == 7
    assert parse(WHOLE + b"a record that was not finished") == parse(WHOLE)


DAMAGED = {
    "empty": b"",
    "half a header": WHOLE[:5],
    "no record": WHOLE[:SIZE],
    "half a record": WHOLE[:-40],
    "used too large": encode_header(2**32 - 1) + RECORD,
    "a length too large": encode_header(SIZE + len(RECORD)) + b"\xff\xff\xff\xff" + RECORD[4:],
    "another key": WHOLE.replace(b'"5"', b'"4"'),
    "not a number": encode_header(SIZE + len(RECORD)) + encode_record(KEY, float("nan")),
    "below zero": encode_header(SIZE + len(RECORD)) + encode_record(KEY, -1),
    "zeros": bytes(65536),
    "noise": bytes(range(256)) * 16,
    "half a record more": encode_header(SIZE + 8 + len(RECORD)) + RECORD + bytes(8),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_recognized(content):
    with pytest.raises(CorruptFile):
        parse(content)


def test_what_cannot_be_read_is_counted_and_logged_and_the_rest_is_shown(tmp_path):
    for number, content in enumerate(DAMAGED.values()):
        (tmp_path / f"counter_{number}.db").write_bytes(content)
    (tmp_path / "no-series.db").write_bytes(
        encode_header(SIZE + len(encode_record(b"[]", 1))) + encode_record(b"[]", 1)
    )
    (tmp_path / "folder.db").mkdir()
    os.mkfifo(tmp_path / "pipe.db")
    (tmp_path / "link.db").symlink_to("/dev/zero")
    (tmp_path / "of-another-program.txt").write_text("not our business")

    done = worker(tmp_path, "exposition()")

    assert shown(done, "flashsale_relayed_envelopes_total") == 1
    assert shown(done, "flashsale_metrics_unreadable_files") == len(DAMAGED) + 4
    assert shown(done, "flashsale_metrics_unkept_series") == 0
    for name in ("counter_0.db", "no-series.db", "folder.db", "pipe.db", "link.db"):
        assert done.stderr.count(f"{tmp_path / name}:") == 1, (
            "logged once, although it was read twice"
        )
    assert "delete it" in done.stderr


def test_a_worker_continues_the_file_of_a_dead_one(tmp_path):
    metric = "import prometheus_client as p; p.Counter('seldom', 'A').inc(3)"
    worker(tmp_path, metric)

    for _ in range(3):
        done = worker(tmp_path)

    assert shown(done, "flashsale_relayed_envelopes_total") == 4
    assert shown(done, "seldom_total") == 3, "a series that no later worker used"
    assert [path.name for path in tmp_path.iterdir()] == ["worker-0.db"]


def test_the_file_of_a_live_worker_is_not_taken(tmp_path):
    locked = metrics_file.open_locked(tmp_path)

    done = worker(tmp_path)

    os.close(locked.descriptor)
    assert shown(done, "flashsale_relayed_envelopes_total") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["worker-0.db", "worker-1.db"]


@pytest.mark.parametrize(
    "damage",
    ["path.unlink()", "os.truncate(path, 0)", "os.truncate(path, 100)", "shutil.rmtree(folder)",
     "path.write_bytes(b'noise')", "path.rename(folder / 'old')"],
)  # fmt: skip
def test_a_worker_rewrites_a_damaged_file(tmp_path, damage):
    then = (
        f"import os, shutil; path, folder = PROCESS_METRICS.path, PROCESS_METRICS.folder; {damage}"
    )
    worker(tmp_path / "metrics", f"{then}; PROCESS_METRICS.repair(); ENVELOPES.inc()")

    done = worker(tmp_path / "metrics")

    assert shown(done, "flashsale_relayed_envelopes_total") == 3
    assert shown(done, "flashsale_metrics_unreadable_files") == 0


FULL = """
import resource
size = PROCESS_METRICS.path.stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
from prometheus_client import Counter
late = Counter("late", "A")
late.inc()
late.inc()
PROCESS_METRICS.repair()
"""
AGAIN = """
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
PROCESS_METRICS.repair()
"""


def test_a_series_without_disk_space_stays_in_memory_and_is_written_later(tmp_path):
    done = worker(tmp_path, FULL)

    assert shown(done, "late_total") == 2
    assert shown(done, "flashsale_metrics_unkept_series") == 1
    assert shown(worker(tmp_path), "flashsale_metrics_unkept_series") == 0, "the worker is dead"
    assert done.stderr.count("stay in its memory") == 1
    assert "PROMETHEUS_MULTIPROC_DIR" in done.stderr

    done = worker(tmp_path, FULL + AGAIN)

    assert shown(done, "flashsale_metrics_unkept_series") == 0
    assert "are kept in" in done.stderr
    assert shown(worker(tmp_path), "late_total") == 2


def test_all_workers_know_that_one_could_not_write(tmp_path):
    (tmp_path / "worker-7.db").write_bytes(encode_header(SIZE + len(RECORD), 3) + RECORD)

    done = worker(tmp_path)

    assert shown(done, "flashsale_metrics_unkept_series") == 3


@pytest.mark.parametrize("folder", ["/proc/no-folder-can-be-made-here", "a file/below", ""])
def test_without_a_folder_a_worker_shows_its_own_metrics(tmp_path, folder):
    (tmp_path / "a file").touch()

    done = worker(folder and tmp_path / folder)

    assert shown(done, "flashsale_relayed_envelopes_total") == 1
    assert shown(done, "flashsale_metrics_unkept_series") > 0
    assert done.stderr.count("PROMETHEUS_MULTIPROC_DIR") == 1


def test_only_web_workers_write_files(tmp_path):
    """The image sets the variable for the relay process and the exporter, too."""
    code = """
from flashsale_server.edge import relay
from flashsale_server.exporter.functions import Counter
Counter("a", "A", registry=None).inc()
"""
    variables = {"PYTHONPATH": SOURCE_ROOTS, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **variables}, check=True, timeout=60
    )

    assert list(tmp_path.iterdir()) == []
