"""Which files make up a maintenance repository, and what Git knows about them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.adapters.ansible_configuration import named_paths
from runner.adapters.programs import Ran, run_program
from runner.errors import Unknown

GIT_TIME_LIMIT = 120.0  # seconds

_NEVER = frozenset({".git", ".venv", "__pycache__"})
_OUTPUT = Path("reports/output")
_INSTALLED = frozenset(
    {"roles", "collections"}
)  # what ansible-galaxy puts there is often ignored by Git, and needed all the same
_SAFE = (
    "-c", "safe.directory=*",  # the tree may belong to another user than the one who runs maintenance
    "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null",  # reading a tree starts none of its programs
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Revision:
    """What Git knows: the commit that is checked out (None without Git or without any commit), and whether the files differ from it."""

    commit: str | None = None
    dirty: bool = False


class Worktree:
    """The files of one maintenance repository."""

    def __init__(self, root: Path, *, environ: Mapping[str, str], leave_out: Collection[Path] = ()) -> None:
        """`leave_out` names absolute paths that never belong to it, such as the state folder and the database."""
        self._root = root.resolve()
        self._environ = {name: value for name, value in environ.items() if not name.startswith("GIT_")} | {
            "GIT_OPTIONAL_LOCKS": "0",
            "LC_ALL": "C",
        }
        self._leave_out = frozenset(path.resolve() for path in [*leave_out, root / _OUTPUT])
        self._named = named_paths(environ, project=self._root)
        self._is_git = self._has_git()

    def revision(self) -> Revision:
        """The commit and whether anything differs from it; without Git, neither is known."""
        if not self._is_git:
            return Revision()
        head = self._git("rev-parse", "--verify", "--quiet", "HEAD")
        status = self._read("status", "--porcelain", "-z", "--ignore-submodules=none", "--", ".")
        changes = [path for path in status.split("\0") if path and not self._is_left_out(self._top() / path[3:])]
        return Revision(head.stdout.strip() or None, dirty=bool(changes))

    def files(self) -> list[Path]:
        """Paths relative to the root, sorted; folders are not listed.

        With Git: what it tracks, what is new and not ignored, and installed roles and collections also where they are ignored. Without Git: everything.
        """
        found = self._git_files() if self._is_git else self._walk(self._root)
        return sorted({path for path in found if not self._is_left_out(self._root / path)})

    def secrets(self) -> list[Path]:
        """Files of passwords and keys within the root that the configuration names, though Git ignores them; relative to the root."""
        inside = {
            path.relative_to(self._root)
            for path in self._named.secrets
            if path.is_relative_to(self._root) and path.is_file()
        }
        return sorted(inside - set(self.files()))

    def _has_git(self) -> bool:
        """Whether the root is in a Git work tree that does not ignore it as a whole."""
        try:
            inside = self._git("rev-parse", "--is-inside-work-tree").stdout.strip() == "true"
        except FileNotFoundError:
            return False
        return inside and self._git("check-ignore", "--quiet", ".").exit_code != 0

    def _git_files(self) -> Iterator[Path]:
        tracked = self._read("ls-files", "-z", "--cached", "--recurse-submodules")
        new = self._read("ls-files", "-z", "--others", "--exclude-standard")
        ignored = self._read("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
        for name in filter(None, f"{tracked}\0{new}".split("\0")):
            yield from self._below(Path(name))
        for name in filter(None, ignored.split("\0")):
            yield from self._needed_of(Path(name))

    def _needed_of(self, ignored: Path) -> Iterator[Path]:
        """Of a path that Git ignores: installed roles and collections, by the usual name or as the configuration names them."""
        whole = self._root / ignored
        folders = [path for path in self._named.content if path.is_relative_to(whole) or whole.is_relative_to(path)]
        if folders or _INSTALLED.intersection(ignored.parts):
            for path in self._below(ignored):
                if _INSTALLED.intersection(path.parts[:-1]) or any(
                    (self._root / path).is_relative_to(folder) for folder in folders
                ):
                    yield path

    def _below(self, path: Path) -> Iterator[Path]:
        """The path itself, or all files below it when it is a folder (a repository within the repository)."""
        whole = self._root / path
        if self._is_left_out(whole):
            return
        if whole.is_dir() and not whole.is_symlink():
            yield from self._walk(whole)
        elif os.path.lexists(whole):
            yield path

    def _walk(self, folder: Path) -> Iterator[Path]:
        for where, folders, files in os.walk(folder, onerror=_refuse):
            here = Path(where)
            links = [name for name in folders if (here / name).is_symlink()]
            folders[:] = [name for name in folders if name not in links and not self._is_left_out(here / name)]
            yield from ((here / name).relative_to(self._root) for name in [*files, *links])

    def _is_left_out(self, path: Path) -> bool:
        parts = path.relative_to(self._root).parts if path.is_relative_to(self._root) else path.parts
        return not _NEVER.isdisjoint(parts) or any(path.is_relative_to(out) for out in self._leave_out)

    def _top(self) -> Path:
        return Path(self._read("rev-parse", "--show-toplevel").strip("\n"))

    def _read(self, *arguments: str) -> str:
        ran = self._git(*arguments)
        if not ran.succeeded:
            raise Unknown(
                f"{self._root}: git {arguments[0]} failed: {ran.words}. Run it there yourself to see what is wrong."
            )
        return ran.stdout

    def _git(self, *arguments: str) -> Ran:
        return run_program(
            ["git", *_SAFE, *arguments],
            cwd=self._root,
            environ=self._environ,
            time_limit=GIT_TIME_LIMIT,
            undecodable="surrogateescape",
        )


def _refuse(error: OSError) -> None:
    raise Unknown(
        f"{error.filename}: the folder cannot be read: {error.strerror}. Give the user that runs Wellkept the right to read it."
    ) from error
