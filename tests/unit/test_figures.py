"""The files in which web workers count: torn files, and files of dead workers."""

import os
import subprocess
import sys

import pytest

from flashsale_local.paths import ROOT
from flashsale_server.edge import figure_file
from flashsale_server.edge.figure_file import HEADER, Torn, header, parsed, record

KEY = b'["counter", "flashsale_claims", "flashsale_claims_total", {"generation": "5"}, "Purchases"]'
SIZE = HEADER.size
RECORD = record(KEY, 7)
WHOLE = header(SIZE + len(RECORD)) + RECORD
# Each worker is a process, because counters belong to a process.
WORKER = """
import sys
from flashsale_server.edge.counting import ENVELOPES
from flashsale_server.edge.figures import FIGURES
from flashsale_server.edge.totals import exposition
FIGURES.keep_in(sys.argv[1], lambda write: write())
ENVELOPES.inc()
exec(sys.argv[2])
print(exposition().decode())
"""


def worker(folder, then="", **variables):
    paths = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "flashsale")])
    return subprocess.run(
        [sys.executable, "-c", WORKER, str(folder), then],
        env={**os.environ, "PYTHONPATH": paths, **variables},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip


def shown(done, name):
    (line,) = [line for line in done.stdout.splitlines() if line.startswith(f"{name} ")]
    return float(line.split()[1])


def test_written_values_are_read():
    (row,) = parsed(WHOLE).rows.values()

    assert row.value == 7
    assert parsed(WHOLE + b"a record that was not finished") == parsed(WHOLE)


TORN = {
    "empty": b"",
    "half a header": WHOLE[:5],
    "no record": WHOLE[:SIZE],
    "half a record": WHOLE[:-40],
    "used too large": header(2**32 - 1) + RECORD,
    "a length too large": header(SIZE + len(RECORD)) + b"\xff\xff\xff\xff" + RECORD[4:],
    "another key": WHOLE.replace(b'"5"', b'"4"'),
    "not a number": header(SIZE + len(RECORD)) + record(KEY, float("nan")),
    "below zero": header(SIZE + len(RECORD)) + record(KEY, -1),
    "zeros": bytes(65536),
    "noise": bytes(range(256)) * 16,
    "half a record more": header(SIZE + 8 + len(RECORD)) + RECORD + bytes(8),
}


@pytest.mark.parametrize("content", TORN.values(), ids=TORN)
def test_a_torn_file_is_detected(content):
    with pytest.raises(Torn):
        parsed(content)


def test_an_unreadable_file_is_counted_and_logged_and_others_are_shown(tmp_path):
    for number, content in enumerate(TORN.values()):
        (tmp_path / f"counter_{number}.db").write_bytes(content)
    (tmp_path / "no-series.db").write_bytes(header(SIZE + len(record(b"[]", 1))) + record(b"[]", 1))
    (tmp_path / "folder.db").mkdir()
    os.mkfifo(tmp_path / "pipe.db")
    (tmp_path / "link.db").symlink_to("/dev/zero")
    (tmp_path / "of-another-program.txt").write_text("not our business")

    done = worker(tmp_path, "exposition()")

    assert shown(done, "flashsale_relayed_envelopes_total") == 1
    assert shown(done, "flashsale_metrics_unreadable_files") == len(TORN) + 4
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
    taken = figure_file.take(tmp_path)

    done = worker(tmp_path)

    os.close(taken.file)
    assert shown(done, "flashsale_relayed_envelopes_total") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["worker-0.db", "worker-1.db"]


@pytest.mark.parametrize(
    "damage",
    ["path.unlink()", "os.truncate(path, 0)", "os.truncate(path, 100)", "shutil.rmtree(folder)",
     "path.write_bytes(b'noise')", "path.rename(folder / 'old')"],
)  # fmt: skip
def test_a_worker_rewrites_a_damaged_file(tmp_path, damage):
    then = f"import os, shutil; path, folder = FIGURES.path, FIGURES.folder; {damage}"
    worker(tmp_path / "figures", f"{then}; FIGURES.repair(); ENVELOPES.inc()")

    done = worker(tmp_path / "figures")

    assert shown(done, "flashsale_relayed_envelopes_total") == 3
    assert shown(done, "flashsale_metrics_unreadable_files") == 0


FULL = """
import resource
size = FIGURES.path.stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
from prometheus_client import Counter
late = Counter("late", "A")
late.inc()
late.inc()
FIGURES.repair()
"""
AGAIN = """
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
FIGURES.repair()
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
    (tmp_path / "worker-7.db").write_bytes(header(SIZE + len(RECORD), 3) + RECORD)

    done = worker(tmp_path)

    assert shown(done, "flashsale_metrics_unkept_series") == 3


@pytest.mark.parametrize("folder", ["/proc/no-folder-can-be-made-here", "a file/below", ""])
def test_without_a_folder_a_worker_shows_its_own_figures(tmp_path, folder):
    (tmp_path / "a file").touch()

    done = worker(folder and tmp_path / folder)

    assert shown(done, "flashsale_relayed_envelopes_total") == 1
    assert shown(done, "flashsale_metrics_unkept_series") > 0
    assert done.stderr.count("PROMETHEUS_MULTIPROC_DIR") == 1


def test_only_web_workers_write_files(tmp_path):
    """The image also sets the variable for the relay process and the exporter."""
    code = """
from flashsale_server.edge import relay
from flashsale_server.exporter.functions import Counter
Counter("a", "A", registry=None).inc()
"""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "flashsale")])
    environment = {**os.environ, "PYTHONPATH": paths, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)

    assert list(tmp_path.iterdir()) == []
