"""The metric values of this process: in memory, and for web workers also in a file for the others.

Selling matters more than metrics, so no error of the file leaves this module. A value whose copy
cannot be written continues in memory, and `repair` writes it as soon as that is possible.

Import this module before the first metric is created: it sets prometheus_client's value class.
"""

import json
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from prometheus_client import values

from flashsale_server.edge import metrics_file
from flashsale_server.edge.metrics_file import HEADER, VALUE, VALUE_AT

logger = logging.getLogger(__name__)


class MetricValue(values.MutexValue):
    """The value of one series. Only for counters and histograms: they add up over processes."""

    def __init__(
        self,
        typ: str,
        metric_name: str,
        name: str,
        labelnames: tuple[str, ...],
        labelvalues: tuple[str, ...],
        help_text: str,
        **_: Any,
    ) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            typ, metric_name, name, labelnames, labelvalues, help_text
        )
        labels = dict(zip(labelnames, labelvalues, strict=True))
        self.key = json.dumps([typ, metric_name, name, labels, help_text]).encode()
        self.offset = 0  # of its copy in the file; 0 without a copy
        self.changed = False  # and will be written soon
        PROCESS_METRICS.add(self)

    @property
    def value(self) -> float:
        """The count so far."""
        return float(self._value)

    def inc(self, amount: float) -> None:
        """Add to the value, here and in the file."""
        with self._lock:
            self._value += amount
        if self.offset and not self.changed:
            self.changed = True
            PROCESS_METRICS.write_soon(self)


class ProcessMetrics:
    """All metric values of this process, and their file.

    Attributes:
        folder: the folder with the files of all web workers; None before `open_in`.
        path: the file of this process.
        error: why values are in memory only; "" if all of them are in the file.

    """

    def __init__(self) -> None:
        self.folder: Path | None = None
        self._call_soon: Callable[[Callable[[], None]], object] = lambda write: write()
        self.path: Path | None = None
        self.error = ""
        self._values: list[MetricValue] = []
        self._changed: list[MetricValue] = []
        self._file = -1
        self._size = HEADER.size
        self._header = b""
        self._reported = 0  # the count of `memory_only` in the file
        self._offsets: dict[bytes, int] = {}
        # What a dead worker has counted of series that this process does not have yet.
        self._inherited: dict[bytes, float] = {}

    def add(self, value: MetricValue) -> None:
        """Keep one more value."""
        self._values.append(value)
        if self._file >= 0:
            try:
                self._place(value)
            except OSError as error:
                self._log(error)

    def write_soon(self, value: MetricValue) -> None:
        """Copy a value that has a place in the file after this iteration of the event loop."""
        self._changed.append(value)
        if len(self._changed) == 1:
            self._call_soon(self.write)

    def write(self) -> None:
        """Copy all changed values to the file."""
        changed, self._changed = self._changed, []
        for value in changed:
            value.changed = False
            if value.offset:
                try:
                    os.pwrite(self._file, VALUE.pack(value.value), value.offset)
                except OSError as error:
                    value.offset = 0
                    self._log(error)

    def open_in(self, folder: str, call_soon: Callable[[Callable[[], None]], object]) -> None:
        """Keep a file in this folder from now on, as soon as that is possible.

        Args:
            folder: the folder of all web workers; "" for no file.
            call_soon: calls a function when the requests that are ready have been served. Under
                load many of them then share one write.

        """
        self._call_soon = call_soon
        if folder:
            self.folder = Path(folder)
            self.repair()
        else:
            logger.warning("/metrics shows one worker only: set PROMETHEUS_MULTIPROC_DIR")

    def repair(self) -> None:
        """Write what the file lacks; open another file if this one is gone or damaged."""
        if self.folder is None:
            return
        try:
            if not self._is_intact():
                self._open(self.folder)
            self._place_all()
        except OSError as error:
            self._log(error)
            with suppress(OSError):
                self._report()
        else:
            if self.error:
                logger.warning("metrics are kept in %s again", self.path)
            self.error = ""

    def values(self) -> dict[bytes, float]:
        """Return the counts of this process and of the dead worker whose file it continues."""
        return {**self._inherited, **{value.key: value.value for value in self._values}}

    @property
    def memory_only(self) -> int:
        """The number of series that the other workers cannot see."""
        return sum(not value.offset for value in self._values)

    def _is_intact(self) -> bool:
        if self._file < 0 or self.path is None:
            return False
        opened = os.fstat(self._file)
        try:
            found = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        beginning = os.pread(self._file, HEADER.size, 0)
        return (
            (found.st_dev, found.st_ino) == (opened.st_dev, opened.st_ino)
            and opened.st_size >= self._size
            and beginning == self._header
        )

    def _open(self, folder: Path) -> None:
        """Open a file; the counts in it are added to those of this process."""
        for value in self._values:
            value.offset = 0
        self._offsets, self._header = {}, b""
        if self._file >= 0:  # its values are in memory: no other worker may count them again
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self.path, self._file = None, -1
        self.path, self._file, content = metrics_file.open_locked(folder)
        self._size = content.size
        for key, (offset, count) in content.values.items():
            self._offsets[key] = offset
            self._inherited[key] = self._inherited.get(key, 0.0) + count

    def _place_all(self) -> None:
        for value in self._values:
            if not value.offset:
                self._place(value)
        for key, count in self._inherited.items():
            if key not in self._offsets:
                self._append(key, count)
        self._report()

    def _place(self, value: MetricValue) -> None:
        if inherited := self._inherited.pop(value.key, 0.0):
            value.inc(inherited)
        if value.key not in self._offsets:
            self._append(value.key, value.value)
        _write(self._file, VALUE.pack(value.value), self._offsets[value.key])
        value.offset = self._offsets[value.key]

    def _append(self, key: bytes, count: float) -> None:
        record = metrics_file.encode_record(key, count)
        _write(self._file, record, self._size)
        self._offsets[key] = self._size + VALUE_AT
        self._size += len(record)
        self._write_header()

    def _report(self) -> None:
        """Tell the other workers how many series the file lacks."""
        self._reported = self.memory_only
        self._write_header()

    def _write_header(self) -> None:
        header = metrics_file.encode_header(self._size, self._reported)
        if header != self._header:
            _write(self._file, header, 0)
            self._header = header

    def _log(self, error: OSError) -> None:
        if not self.error:
            logger.error(
                "metrics of this worker stay in its memory, the sale goes on: %s. Make room in %s "
                "and let this user write there, or set PROMETHEUS_MULTIPROC_DIR to another folder",
                error, self.folder,
            )  # fmt: skip
        self.error = str(error)


def _write(file: int, content: bytes, offset: int) -> None:
    while content:  # where only a part fits, the next call raises the reason
        written = os.pwrite(file, content, offset)
        content, offset = content[written:], offset + written


PROCESS_METRICS = ProcessMetrics()
# With PROMETHEUS_MULTIPROC_DIR, prometheus_client would use memory maps: see `metrics_file`.
values.ValueClass = MetricValue
