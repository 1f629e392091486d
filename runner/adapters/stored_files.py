"""The store of files that copies of the maintenance repository are made of: each file once, named by its content, its rights and its time of change."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_WRITABLE = 0o222
_EXECUTABLE = 0o111
_FOLDER = 0o555


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or link as it was copied; `content` is the SHA-256 of a file, or where a link leads."""

    path: str
    content: str
    mode: int = 0
    size: int = 0
    mtime: int = 0

    @property
    def is_link(self) -> bool:
        return self.mode == 0

    @property
    def line(self) -> bytes:
        """What the digest is made of: whether it is a link or may be executed, its content, and its path."""
        kind = "link" if self.is_link else "program" if self.mode & _EXECUTABLE else "file"
        return f"{kind}\0{self.content}\0{self.path}\0".encode(errors="surrogateescape")

    @property
    def name(self) -> str:
        """The name of the file in our own store."""
        return f"{self.content}-{self.mode:o}-{self.mtime}"


def described(source: Path, path: str) -> Entry:
    """What a file would be called in our own store."""
    with source.open("rb") as reading:
        digest = hashlib.file_digest(reading, "sha256").hexdigest()
        was = os.fstat(reading.fileno())
    return Entry(path, digest, _read_only(was), was.st_size, was.st_mtime_ns)


def stored(source: Path, path: str, folder: Path) -> Entry:
    """Copy a file into our own store, named by a hash of the bytes that were copied."""
    digest = hashlib.sha256()
    with (
        source.open("rb") as reading,
        tempfile.NamedTemporaryFile(dir=folder, prefix=".half-", delete=False) as writing,
    ):
        while piece := reading.read(1 << 20):
            digest.update(piece)
            writing.write(piece)
        was = os.fstat(reading.fileno())
        writing.flush()
        os.fchmod(writing.fileno(), _read_only(was))
        os.utime(writing.fileno(), ns=(was.st_mtime_ns, was.st_mtime_ns))
        entry = Entry(path, digest.hexdigest(), _read_only(was), writing.tell(), was.st_mtime_ns)
    Path(writing.name).replace(folder / entry.name)
    return entry


def _read_only(was: os.stat_result) -> int:
    return stat.S_IMODE(was.st_mode) & ~_WRITABLE | stat.S_IRUSR


def is_as_listed(path: str | Path, entry: Entry) -> bool:
    """Whether a file or link is as it was made, by kind, size, rights and time of change."""
    try:
        found = os.lstat(path)
        if entry.is_link:
            return stat.S_ISLNK(found.st_mode) and os.readlink(path) == entry.content  # noqa: PTH115 - as above
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and (stat.S_IMODE(found.st_mode), found.st_size, found.st_mtime_ns) == (
        entry.mode,
        entry.size,
        entry.mtime,
    )


@contextmanager
def alone_in(folder: Path, *below: Path, half_made: Sequence[str]) -> Iterator[None]:
    """Make private folders, keep other processes from changing anything there meanwhile, and clear away what was left half made, also by a crash.

    `half_made` are the patterns of names of what is not finished.
    """
    for each in (folder, *below):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            clear(folder, half_made)
            yield
        finally:
            clear(folder, half_made)


def clear(folder: Path, half_made: Sequence[str]) -> None:
    """Remove what was left half made."""
    for left in [path for pattern in half_made for path in folder.glob(pattern)]:
        remove(left)


def make_read_only(folder: Path) -> None:
    """Take the right to write from a folder and all folders below it."""
    for where, folders, _ in os.walk(folder):
        for name in folders:
            if not (Path(where) / name).is_symlink():
                (Path(where) / name).chmod(_FOLDER)
    folder.chmod(_FOLDER)


def remove(folder: Path) -> None:
    """Remove a copy; its folders must become writable first."""
    for where, _, _ in os.walk(folder):
        Path(where).chmod(0o700)
    shutil.rmtree(folder)
