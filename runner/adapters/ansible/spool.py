"""The spool of a piece: numbered, checked lines that survive whatever happens to the process that writes them.

One line is a number, the CRC-32 of the rest, and JSON. A line without its end was torn by a crash; a line whose number or checksum does not fit is
damage, and nothing after it is read.
"""

from __future__ import annotations

import errno
import json
import os
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

SPOOL = "spool"
CHUNK = 256 * 1024
DISK_FULL = frozenset((errno.ENOSPC, errno.EDQUOT))


class Line(NamedTuple):
    """One record of a spool; `offset` is where it ends, in bytes."""

    number: int
    offset: int
    record: dict[str, object]


def create_spool(path: Path) -> None:
    """Create an empty spool, readable by its owner only; FileExistsError when there is one."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


class SpoolWriter:
    """Appends records; a full disk is waited for, so that nothing is lost while there is hope."""

    def __init__(self, path: Path, *, patience: float = 600.0, sleep: Callable[[float], None] = time.sleep) -> None:
        """Open an existing spool; `patience` is how many seconds a full disk is waited for."""
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self._patience, self._sleep, self._number = patience, sleep, 0

    def write(self, record: Mapping[str, object]) -> None:
        """Append one record."""
        self._number += 1
        body = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        rest = memoryview(b"%d %08x %b\n" % (self._number, zlib.crc32(body), body))
        while rest:
            rest = rest[self._append(rest) :]

    def _append(self, rest: memoryview) -> int:
        try:
            return os.write(self._descriptor, rest)
        except OSError as error:
            if error.errno not in DISK_FULL or self._patience <= 0:
                raise
        self._patience -= 0.5
        self._sleep(0.5)
        return 0

    def close(self) -> None:
        """Make sure that everything is on the disk."""
        os.fsync(self._descriptor)
        os.close(self._descriptor)


class SpoolReader:
    """Follows a spool from an offset; memory stays at about one record, whatever the length."""

    def __init__(self, path: Path, *, offset: int = 0) -> None:
        """Open the spool; `offset` is the end of the last line that is known already."""
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        self._offset, self._buffer, self._searched = offset, bytearray(), 0
        self._number: int | None = None if offset else 0
        self.damage = ""

    def read(self, limit: int) -> Sequence[Line]:
        """The next lines that are whole, at most `limit`; empty when there is none now."""
        found: list[Line] = []
        while len(found) < limit and not self.damage:
            text = self._next_line()
            if text is None:
                break
            line = self._understand(text)
            if line is None:
                self.damage = f"the spool is damaged at byte {self._offset}"
                break
            found.append(line)
        return found

    def _next_line(self) -> bytes | None:
        while (end := self._buffer.find(b"\n", self._searched)) < 0:
            self._searched = len(self._buffer)
            chunk = os.read(self._descriptor, CHUNK)
            if not chunk:
                return None
            self._buffer += chunk
        self._searched = 0
        text = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return text

    def _understand(self, text: bytes) -> Line | None:
        number, _, rest = text.partition(b" ")
        check, _, body = rest.partition(b" ")
        if not number.isdigit() or check != b"%08x" % zlib.crc32(body):
            return None
        if self._number is not None and int(number) != self._number + 1:
            return None
        self._number = int(number)
        self._offset += len(text) + 1
        return Line(self._number, self._offset, json.loads(body))

    @property
    def torn(self) -> int:
        """How many bytes of a line without an end are left over; more than 0 at the end means that the writer was killed while writing."""
        return 0 if self.damage else len(self._buffer)

    def close(self) -> None:
        """Let the file go."""
        os.close(self._descriptor)


def read_whole(path: Path, *, offset: int) -> Iterator[Line | str]:
    """Every whole line after `offset`; then one sentence if the end was torn or damaged."""
    reader = SpoolReader(path, offset=offset)
    try:
        while lines := reader.read(200):
            yield from lines
        if reader.damage:
            yield reader.damage
        elif reader.torn:
            yield f"the spool ends in a torn line of {reader.torn} bytes, which was left out"
    finally:
        reader.close()
