"""Immutable, content-addressed copies of the maintenance repository below the state folder.

snapshots/<digest>/         one copy: read-only files and folders, links kept
snapshots/.lists/<digest>   what was copied, to see whether anybody has changed the copy since
snapshots/.files/<name>     every file once, hard-linked into the copies; never a link to a file that people edit
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from runner.adapters.stored_files import Entry, alone_in, described, is_as_listed, make_read_only, remove, stored
from runner.adapters.worktree import Revision, Worktree
from runner.errors import Unknown
from runner.ports import SnapshotTaken

TRIES = 4
KEPT_AT_LEAST = timedelta(hours=1)

_TICK = 1_000_000_000  # nanoseconds: two changes within this may bear the same time of change


class FileSnapshots:
    """Keeps immutable copies of the maintenance repository."""

    def __init__(
        self,
        state_dir: Path,
        environ: Mapping[str, str],
        clock: Callable[[], datetime],
        *,
        leave_out: Collection[Path] = (),
        secret: Collection[Path] = (),
    ) -> None:
        """`leave_out` names absolute paths that belong to no copy, such as a database that lies beside the files; the state folder never does.

        Files of `secret` are never copied: the copy leads to where they are.
        """
        self._secret = secret
        self._folder = state_dir / "snapshots"
        self._environ = environ
        self._clock = clock
        self._leave_out = (state_dir, *leave_out)
        self._last: dict[Path, _Last] = {}

    def take(self, root: Path, *, besides: Collection[str] = ()) -> SnapshotTaken:
        """Copy the files as they are now; the same content gives the same digest and path.

        `besides` names files relative to `root` that belong to the copy wherever they lie, also if Git ignores them.
        The digest is that of the bytes which were copied. Raises Unknown when files keep changing meanwhile, or cannot be read or written.
        """
        worktree = self._worktree(root, besides)
        try:
            with self._locked():
                return self._take(worktree, root.resolve())
        except OSError as error:
            raise Unknown(
                f"{error.filename or root}: the files cannot be copied for the run: {error.strerror or error}."
            ) from error

    def names(self, root: Path) -> frozenset[str]:
        """What a copy taken now would hold, relative to `root`; raises Unknown when that cannot be told."""
        worktree = self._worktree(root)
        return frozenset([*worktree.files(), *worktree.secrets()])

    def forget(self, keep: Collection[str]) -> int:
        """Remove all copies but those with a digest in `keep` or taken within the last hour; gives how many were removed."""
        with self._locked():
            oldest = (self._clock() - KEPT_AT_LEAST).timestamp()
            gone = [path for path in self._copies() if path.name not in keep and path.stat().st_mtime < oldest]
            for path in gone:
                remove(path)
                (self._lists / path.name).unlink(missing_ok=True)
            for path in self._files.iterdir():
                if path.stat().st_nlink == 1:
                    path.unlink()
        return len(gone)

    def _worktree(self, root: Path, besides: Collection[str] = ()) -> Worktree:
        left_out, secret = self._leave_out, self._secret
        return Worktree(root, environ=self._environ, leave_out=left_out, besides=besides, secret=secret)

    @property
    def _files(self) -> Path:
        return self._folder / ".files"

    @property
    def _lists(self) -> Path:
        return self._folder / ".lists"

    def _copies(self) -> Iterator[Path]:
        return (path for path in self._folder.iterdir() if path.is_dir() and not path.name.startswith("."))

    def _locked(self) -> AbstractContextManager[None]:
        """Keep other processes from taking or forgetting meanwhile."""
        return alone_in(self._folder, self._files, self._lists, half_made=(".taking-*",))

    def _take(self, worktree: Worktree, root: Path) -> SnapshotTaken:
        for _ in range(TRIES):
            with suppress(FileNotFoundError):  # a file that has gone since it was listed: files are changing
                if taken := self._again(worktree, root) or self._try(worktree, root):
                    return taken
        raise Unknown(
            f"{root}: files keep changing while they are copied for the run. Wait until whatever writes there has finished."
        )

    def _again(self, worktree: Worktree, root: Path) -> SnapshotTaken | None:
        """The last copy once more, if nothing has changed since, neither there nor here: that takes a look at each file, and reads none."""
        last = self._last.get(root)
        if last is None or _state(worktree, root) != last.state or not self._is_untouched(last.taken.digest):
            return None
        return self._dated(last.taken)

    def _try(self, worktree: Worktree, root: Path) -> SnapshotTaken | None:
        """Copy everything; None when anything was changed meanwhile."""
        before = _state(worktree, root)
        taking = Path(tempfile.mkdtemp(prefix=".taking-", dir=self._folder))
        began = taking.stat().st_ctime_ns
        entries = [self._copy(root, path, taking) for path in before.files]
        links = [_link_out(root, path, taking) for path in before.secrets]
        if _state(worktree, root) != before:
            return None
        taken = self._finish(taking, [*entries, *links], before.revision)
        self._remember(root, before, taken, began=began)
        return taken

    def _remember(self, root: Path, state: _State, taken: SnapshotTaken, *, began: int) -> None:
        """Keep in mind how the tree stood, unless a further change might look the same: one within the same tick of the clock."""
        self._last.pop(root, None)
        if state.newest < began - _TICK:
            self._last[root] = _Last(state, taken)

    def _copy(self, root: Path, path: str, taking: Path) -> Entry:
        """Copy one file into our own store unless it is there, and link it into the copy; links are kept as links."""
        source, target = root / path, taking / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            leads_to = _led_to(root, source)
            target.symlink_to(leads_to)
            return Entry(path, leads_to)
        entry = described(source, path)
        if not is_as_listed(self._files / entry.name, entry):
            entry = stored(source, path, self._files)
        os.link(self._files / entry.name, target)
        return entry

    def _finish(self, taking: Path, entries: list[Entry], revision: Revision) -> SnapshotTaken:
        """Give the copy its name, unless one with the same content is there and untouched."""
        ordered = sorted(entries, key=lambda entry: entry.path)
        digest = hashlib.sha256(b"".join(entry.line for entry in ordered)).hexdigest()
        path = self._folder / digest
        if not self._is_untouched(digest):
            make_read_only(taking)
            if path.exists():
                path.rename(tempfile.mkdtemp(prefix=f"{digest}-changed-", dir=self._folder))
            self._write_list(digest, ordered)
            taking.rename(path)
        return self._dated(SnapshotTaken(digest=digest, path=path, commit=revision.commit, dirty=revision.dirty))

    def _dated(self, taken: SnapshotTaken) -> SnapshotTaken:
        """A copy that was taken now, as far as forgetting is concerned."""
        now = self._clock().timestamp()
        os.utime(taken.path, (now, now))
        return taken

    def _write_list(self, digest: str, entries: list[Entry]) -> None:
        half = self._lists / f".{digest}"
        half.write_text(
            json.dumps([[entry.path, entry.content, entry.mode, entry.size, entry.mtime] for entry in entries])
        )
        half.replace(self._lists / digest)

    def _is_untouched(self, digest: str) -> bool:
        """Whether a copy is there and everything in it is as it was made, by kind, size, rights and time of change."""
        try:
            listed = json.loads((self._lists / digest).read_text())
            above = f"{self._folder / digest}/"
            return all(is_as_listed(above + row[0], Entry(*row)) for row in listed)
        except (OSError, ValueError, TypeError):
            return False


@dataclass(frozen=True, slots=True)
class _State:
    """How the tree stands: its files, what they are like without being read, its secrets, and the revision."""

    files: tuple[str, ...]
    stats: tuple[tuple[int, ...], ...]
    secrets: tuple[str, ...]
    revision: Revision
    newest: int  # when anything was changed last, in nanoseconds


@dataclass(frozen=True, slots=True)
class _Last:
    """The copy that was taken last, and how the tree stood then."""

    state: _State
    taken: SnapshotTaken


def _state(worktree: Worktree, root: Path) -> _State:
    above = f"{root}/"  # paths as objects take five times as long, and there may be thousands
    found = {name: os.lstat(above + name) for name in worktree.files()}
    kept = {name: was for name, was in found.items() if stat.S_ISREG(was.st_mode) or stat.S_ISLNK(was.st_mode)}
    stats = tuple((was.st_ino, was.st_mode, was.st_size, was.st_mtime_ns, was.st_ctime_ns) for was in kept.values())
    newest = max((times[-1] for times in stats), default=0)
    return _State(tuple(kept), stats, tuple(worktree.secrets()), worktree.revision(), newest)


def _led_to(root: Path, link: Path) -> str:
    """Where a link leads from within the copy: to the copy's own file when it stays within the root, else to the same place outside as before."""
    target = Path(os.path.normpath(link.parent / link.readlink()))
    if target.is_relative_to(root):
        return os.path.relpath(target, link.parent)
    return os.fspath(target)


def _link_out(root: Path, path: str, taking: Path) -> Entry:
    """Lead to a file of passwords or keys where it is, so that the secret is not copied."""
    (taking / path).parent.mkdir(parents=True, exist_ok=True)
    (taking / path).symlink_to(root / path)
    return Entry(path, os.fspath(root / path))
