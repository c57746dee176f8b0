"""Figures of this process: in memory, and for web workers in a file beside, for all to see.

Selling matters more than figures: no error of the file leaves this module. A figure whose copy
cannot be written goes on in memory, `trouble` says why, and `repair` writes it as soon as possible.
Import this module before the first metric is made: it decides what their values are.
"""

import json
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from prometheus_client import values

from flashsale_server.edge import figure_file
from flashsale_server.edge.figure_file import HEADER, VALUE, VALUE_AT

logger = logging.getLogger(__name__)


class Figure(values.MutexValue):
    """The value of one series; counters and histograms only, which add up over processes."""

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
        self.at = 0  # where in the file its copy stands; 0 if nowhere
        self.changed = False  # and will be written soon
        FIGURES.add(self)

    @property
    def value(self) -> float:
        """What was counted so far."""
        return float(self._value)

    def inc(self, amount: float) -> None:
        """Add to it, here and in the file."""
        with self._lock:
            self._value += amount
        if self.at and not self.changed:
            self.changed = True
            FIGURES.write_soon(self)


class Figures:
    """All figures of this process, and their file.

    Attributes:
        folder: where the files of all web workers are; None until `keep_in`.
        path: the file of this one.
        trouble: why figures are in memory only; "" if all of them are in the file.

    """

    def __init__(self) -> None:
        self.folder: Path | None = None
        self._soon: Callable[[Callable[[], None]], object] = lambda write: write()
        self.path: Path | None = None
        self.trouble = ""
        self._figures: list[Figure] = []
        self._changed: list[Figure] = []
        self._file = -1
        self._used = HEADER.size
        self._header = b""
        self._reported = 0  # of `unkept`, in the file
        self._places: dict[bytes, int] = {}
        # What a dead worker has counted of series that this one has not met yet.
        self._inherited: dict[bytes, float] = {}

    def add(self, figure: Figure) -> None:
        """Keep one more figure."""
        self._figures.append(figure)
        if self._file >= 0:
            try:
                self._place(figure)
            except OSError as error:
                self._complain(error)

    def write_soon(self, figure: Figure) -> None:
        """Copy the figure, which has a place in the file, when this round of the loop is over."""
        self._changed.append(figure)
        if len(self._changed) == 1:
            self._soon(self.write)

    def write(self) -> None:
        """Copy to the file what has changed."""
        changed, self._changed = self._changed, []
        for figure in changed:
            figure.changed = False
            if figure.at:
                try:
                    os.pwrite(self._file, VALUE.pack(figure.value), figure.at)
                except OSError as error:
                    figure.at = 0
                    self._complain(error)

    def keep_in(self, folder: str, soon: Callable[[Callable[[], None]], object]) -> None:
        """Have a file in this folder from now on, as soon as that is possible.

        Args:
            folder: of all web workers; "" for none.
            soon: calls a function when the requests that are ready have been served. Under load
                many of them then share one write.

        """
        self._soon = soon
        if folder:
            self.folder = Path(folder)
            self.repair()
        else:
            logger.warning("/metrics shows one worker only: set PROMETHEUS_MULTIPROC_DIR")

    def repair(self) -> None:
        """Write what is not in the file; take another file if this one is gone or damaged."""
        if self.folder is None:
            return
        try:
            if not self._is_there():
                self._open(self.folder)
            self._place_all()
        except OSError as error:
            self._complain(error)
            with suppress(OSError):
                self._report()
        else:
            if self.trouble:
                logger.warning("figures are kept in %s again", self.path)
            self.trouble = ""

    def rows(self) -> dict[bytes, float]:
        """What this process has counted, and the dead worker whose file it continues."""
        return {**self._inherited, **{figure.key: figure.value for figure in self._figures}}

    @property
    def unkept(self) -> int:
        """How many series the other workers cannot see."""
        return sum(not figure.at for figure in self._figures)

    def _is_there(self) -> bool:
        if self._file < 0 or self.path is None:
            return False
        ours = os.fstat(self._file)
        try:
            there = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        beginning = os.pread(self._file, HEADER.size, 0)
        return (
            (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)
            and ours.st_size >= self._used
            and beginning == self._header
        )

    def _open(self, folder: Path) -> None:
        """Take a file; what stands in it already is added to what this process counts."""
        for figure in self._figures:
            figure.at = 0
        self._places, self._header = {}, b""
        if self._file >= 0:  # its figures are in memory: no other worker may count them again
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self.path, self._file = None, -1
        self.path, self._file, content = figure_file.take(folder)
        self._used = content.used
        for key, (at, value) in content.rows.items():
            self._places[key] = at
            self._inherited[key] = self._inherited.get(key, 0.0) + value

    def _place_all(self) -> None:
        for figure in self._figures:
            if not figure.at:
                self._place(figure)
        for key, value in self._inherited.items():
            if key not in self._places:
                self._append(key, value)
        self._report()

    def _place(self, figure: Figure) -> None:
        if inherited := self._inherited.pop(figure.key, 0.0):
            figure.inc(inherited)
        if figure.key not in self._places:
            self._append(figure.key, figure.value)
        _write(self._file, VALUE.pack(figure.value), self._places[figure.key])
        figure.at = self._places[figure.key]

    def _append(self, key: bytes, value: float) -> None:
        content = figure_file.record(key, value)
        _write(self._file, content, self._used)
        self._places[key] = self._used + VALUE_AT
        self._used += len(content)
        self._write_header()

    def _report(self) -> None:
        """Let the other workers know what is missing in the file."""
        self._reported = self.unkept
        self._write_header()

    def _write_header(self) -> None:
        header = figure_file.header(self._used, self._reported)
        if header != self._header:
            _write(self._file, header, 0)
            self._header = header

    def _complain(self, error: OSError) -> None:
        if not self.trouble:
            logger.error(
                "figures of this worker stay in its memory, the sale goes on: %s. Make room in %s "
                "and let this user write there, or set PROMETHEUS_MULTIPROC_DIR to another folder",
                error, self.folder,
            )  # fmt: skip
        self.trouble = str(error)


def _write(file: int, content: bytes, at: int) -> None:
    while content:  # where only a part fits, the next call says why
        written = os.pwrite(file, content, at)
        content, at = content[written:], at + written


FIGURES = Figures()
# prometheus_client's own are memory maps where PROMETHEUS_MULTIPROC_DIR is set: see `figure_file`.
values.ValueClass = Figure
