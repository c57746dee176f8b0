"""The file in which a web worker shows its figures to the others; its successor continues it.

It begins with MAGIC, the number of bytes that count (what stands behind them was not finished), and
the number of series that its worker has in memory only: a full disk takes no more, but what is
there can still be changed. Then a record for each series: the length of its key, the key's CRC-32,
its value (a double, at a multiple of 8, so that nobody reads half of one), the key, and zeros up to
the next multiple of 8.

A file is written by `pwrite`, never by a memory map: on a full disk `pwrite` fails with an error,
and a memory map kills its process (SIGBUS).
"""

import errno
import fcntl
import math
import os
import stat
import struct
import zlib
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

MAGIC = b"FIG1"
HEADER = struct.Struct("=4sIQ")
RECORD = struct.Struct("=IId")
VALUE = struct.Struct("=d")
VALUE_AT = 8  # bytes from the beginning of a record
# Bytes; a worker of this application has about 50,000.
LARGEST = 4 << 20


class Torn(ValueError):
    """A file that no web worker has finished writing, or that was damaged later."""


class Row(NamedTuple):
    """The value of a series, and where in the file it stands."""

    at: int
    value: float


class Content(NamedTuple):
    """What a file says: the bytes that count, the series that are missing in it, the others."""

    used: int = HEADER.size
    unkept: int = 0
    rows: Mapping[bytes, Row] = MappingProxyType({})


class Taken(NamedTuple):
    """A file that this process alone writes: its descriptor, and what stood in it before."""

    path: Path
    file: int
    content: Content


def header(used: int, unkept: int = 0) -> bytes:
    """The beginning of a file; see `Content`."""
    return HEADER.pack(MAGIC, used, unkept)


def record(key: bytes, value: float) -> bytes:
    """One series."""
    return RECORD.pack(len(key), zlib.crc32(key), value) + key + bytes(-len(key) % 8)


def parsed(content: bytes) -> Content:
    """What a file says.

    Raises:
        Torn: the content is not what `header` and `record` make.

    """
    if len(content) < HEADER.size:
        raise Torn(f"it has {len(content)} bytes")
    magic, used, unkept = HEADER.unpack_from(content)
    if magic != MAGIC:
        raise Torn("it does not begin as a file of figures does")
    if used > len(content):
        raise Torn(f"it has {len(content)} bytes of {used}")
    rows, at = {}, HEADER.size
    while at < used:
        if used - at < RECORD.size:
            raise Torn(f"no record at byte {at}")
        length, checksum, value = RECORD.unpack_from(content, at)
        key = content[at + RECORD.size : min(at + RECORD.size + length, used)]
        if zlib.crc32(key) != checksum or not (math.isfinite(value) and value >= 0):
            raise Torn(f"the record at byte {at} is damaged")
        rows[key] = Row(at + VALUE_AT, value)
        at += RECORD.size + length + -length % 8
    return Content(used, unkept, rows)


def read(path: Path) -> Content:
    """What a file says.

    Raises:
        OSError: it cannot be read, or is gone.
        Torn: see `parsed`.

    """
    # Whatever else lies there, such as a pipe, must not be waited for.
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return parsed(os.pread(file, LARGEST, 0))
    finally:
        os.close(file)


def take(folder: Path) -> Taken:
    """Open a file for this process alone: one that a dead worker left, else a new one.

    So there are never more files than workers that lived at the same time, and what the dead have
    counted stays in the sums. The lock ends with the process, however that ends.

    Raises:
        OSError: the folder or its file system does not permit it.

    """
    folder.mkdir(parents=True, exist_ok=True)
    numbers = count()
    while True:
        path = folder / f"worker-{next(numbers)}.db"
        if (taken := _taken(path)) is not None:
            return taken


def _taken(path: Path) -> Taken | None:
    """The file, locked; None if another worker has it, or if it is not fit to be continued."""
    existed = path.exists()
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    except OSError as error:
        if existed and error.errno not in {errno.EMFILE, errno.ENFILE}:
            return None
        raise
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return _understood(path, file)
    except (BlockingIOError, Torn):
        os.close(file)
        return None
    except OSError:
        os.close(file)
        raise


def _understood(path: Path, file: int) -> Taken:
    if not stat.S_ISREG(os.fstat(file).st_mode):
        raise Torn("it is no file")
    content = os.pread(file, LARGEST, 0)
    return Taken(path, file, parsed(content) if content else Content())
