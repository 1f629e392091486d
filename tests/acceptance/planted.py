"""Secrets that are planted in a maintenance repository, and a search for them wherever something may have been left."""

from __future__ import annotations

import base64
import re
import sqlite3
import threading
import uuid
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.acceptance.processes import read


class Planted:
    """Secrets by name. The middle of each is letters and digits, so that it can be found again however the whole was quoted."""

    def __init__(self, *names: str) -> None:
        self._middles = {name: uuid.uuid4().hex for name in names}
        self._pattern = re.compile(b"|".join(word for middle in self._middles.values() for word in spelled(middle)))

    def __getitem__(self, name: str) -> str:
        return f"{name}'&\"{self._middles[name]}/+%"

    def middle(self, name: str) -> str:
        """A secret without the characters that need quoting."""
        return self._middles[name]

    def in_bytes(self, found: bytes) -> bool:
        return self._pattern.search(found) is not None

    def in_files(self, *roots: Path) -> list[Path]:
        """Files at or below these places that hold a secret; links are not followed."""
        return [path for path in files(*roots) if self.in_bytes(path.read_bytes())]

    def in_database(self, path: Path) -> list[str]:
        """Columns of an SQLite database that hold a secret, also in what is kept compressed."""
        with sqlite3.connect(path) as connection:
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return [f"{table}: {row}" for table in tables for row in self._in_rows(connection, table)]

    def _in_rows(self, connection: sqlite3.Connection, table: str) -> Iterator[tuple[object, ...]]:
        for row in connection.execute(f'SELECT * FROM "{table}"'):
            if any(self.in_bytes(plain(value)) for value in row):
                yield row


def spelled(middle: str) -> Iterator[bytes]:
    """As it is, in hexadecimal, and in base64 at each of three places; a few characters at both ends depend on what is beside it."""
    yield middle.encode()
    yield middle.encode().hex().encode()
    for before in range(3):
        yield base64.b64encode(bytes(before) + middle.encode())[4:-4]


def plain(value: object) -> bytes:
    """A value of the database as bytes, unpacked if it is packed."""
    found = value if isinstance(value, bytes) else str(value).encode()
    try:
        return zlib.decompress(found)
    except zlib.error:
        return found


def files(*roots: Path) -> Iterator[Path]:
    for root in roots:
        yield from (path for path in (root, *root.rglob("*")) if path.is_file() and not path.is_symlink())


class Watch:
    """Looks at the command lines and environments of all processes, again and again, while it is entered."""

    def __init__(self, planted: Planted, *, known_to_us: Planted) -> None:
        """`known_to_us` may stand in environments: the user put them there."""
        self._planted, self._in_environment = planted, known_to_us
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        self.seen: set[str] = set()
        self.looked_at: set[str] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _look_on(self) -> None:
        while not self._over.wait(0.1):
            for pid in (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()):
                self._look(pid)

    def _look(self, pid: int) -> None:
        words, environ = read(pid, "cmdline"), read(pid, "environ")
        self.looked_at.update(word for word in ("ansible-playbook", "wellkept", "ssh") if word.encode() in words)
        if any(each.in_bytes(words) for each in (self._planted, self._in_environment)):
            self.seen.add(f"command line: {words!r}")
        if self._planted.in_bytes(environ):
            self.seen.add(f"environment of: {words!r}")
