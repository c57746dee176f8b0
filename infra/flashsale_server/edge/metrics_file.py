"""The file in which a web worker shares its metric values with the other workers.

The worker that replaces a dead one continues its file. A file begins with a header: MAGIC, the
number of bytes that count (bytes behind them were not finished), and the number of series that the
worker has in memory only. On a full disk a file cannot grow, but its values can still be changed.

A record for each series follows: the length of its key, the CRC-32 of the key, the value, the key,
and zeros up to the next multiple of 8. A value is a double at a multiple of 8, so no reader sees
half of one.

Files are written by `pwrite`, never by a memory map. On a full disk `pwrite` fails with an error,
but a memory map kills its process (SIGBUS).
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
MAX_SIZE = 4 << 20


class CorruptFile(ValueError):
    """A file that no web worker has finished writing, or that was damaged later."""


class StoredValue(NamedTuple):
    """The value of a series, and its offset in the file."""

    offset: int
    value: float


class Content(NamedTuple):
    """The content of a file.

    Attributes:
        size: the bytes that count.
        memory_only: the number of series that the file lacks.
        values: the other series, by key.

    """

    size: int = HEADER.size
    memory_only: int = 0
    values: Mapping[bytes, StoredValue] = MappingProxyType({})


class LockedFile(NamedTuple):
    """A file that only this process writes: its descriptor, and what it had before."""

    path: Path
    descriptor: int
    content: Content


def encode_header(size: int, memory_only: int = 0) -> bytes:
    """Return the beginning of a file; see `Content`."""
    return HEADER.pack(MAGIC, size, memory_only)


def encode_record(key: bytes, value: float) -> bytes:
    """Return the record of one series."""
    return RECORD.pack(len(key), zlib.crc32(key), value) + key + bytes(-len(key) % 8)


def parse(content: bytes) -> Content:
    """Parse a whole file.

    Raises:
        CorruptFile: the content is not what `encode_header` and `encode_record` make.

    """
    if len(content) < HEADER.size:
        raise CorruptFile(f"it has {len(content)} bytes")
    magic, size, memory_only = HEADER.unpack_from(content)
    if magic != MAGIC:
        raise CorruptFile("it does not begin like a file of metrics")
    if size > len(content):
        raise CorruptFile(f"it has {len(content)} bytes of {size}")
    values, at = {}, HEADER.size
    while at < size:
        if size - at < RECORD.size:
            raise CorruptFile(f"no record at byte {at}")
        length, checksum, value = RECORD.unpack_from(content, at)
        key = content[at + RECORD.size : min(at + RECORD.size + length, size)]
        if zlib.crc32(key) != checksum or not (math.isfinite(value) and value >= 0):
            raise CorruptFile(f"the record at byte {at} is damaged")
        values[key] = StoredValue(at + VALUE_AT, value)
        at += RECORD.size + length + -length % 8
    return Content(size, memory_only, values)


def read(path: Path) -> Content:
    """Read and parse a file.

    Raises:
        OSError: the file cannot be read, or is gone.
        CorruptFile: see `parse`.

    """
    # Not blocking, because something else may have this name, such as a pipe.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return parse(os.pread(descriptor, MAX_SIZE, 0))
    finally:
        os.close(descriptor)


def open_locked(folder: Path) -> LockedFile:
    """Open a file for this process alone: one that a dead worker left, or else a new one.

    So there are never more files than workers that lived at the same time, and the counts of dead
    workers stay in the sums. The lock ends with the process, however the process ends.

    Raises:
        OSError: the folder or its file system does not permit it.

    """
    folder.mkdir(parents=True, exist_ok=True)
    numbers = count()
    while True:
        path = folder / f"worker-{next(numbers)}.db"
        if (locked := _try_lock(path)) is not None:
            return locked


def _try_lock(path: Path) -> LockedFile | None:
    """Return the locked file; None if another worker has it or if it cannot be continued."""
    existed = path.exists()
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    except OSError as error:
        if existed and error.errno not in {errno.EMFILE, errno.ENFILE}:
            return None
        raise
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return _parse_locked(path, descriptor)
    except (BlockingIOError, CorruptFile):
        os.close(descriptor)
        return None
    except OSError:
        os.close(descriptor)
        raise


def _parse_locked(path: Path, descriptor: int) -> LockedFile:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise CorruptFile("it is not a regular file")
    content = os.pread(descriptor, MAX_SIZE, 0)
    return LockedFile(path, descriptor, parse(content) if content else Content())
