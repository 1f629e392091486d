"""Which files make up a maintenance repository, and what Git knows about them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.adapters.ansible_configuration import named_paths
from runner.adapters.programs import Ran, run_program
from runner.errors import Unknown

GIT_TIME_LIMIT = 120.0  # seconds

_NEVER = frozenset({".git", ".venv", "__pycache__"})
_OUTPUT = "reports/output"
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
    """The files of one maintenance repository; names are relative to its root, with `/` between folders."""

    def __init__(
        self,
        root: Path,
        *,
        environ: Mapping[str, str],
        leave_out: Collection[Path] = (),
        besides: Collection[str] = (),
        secret: Collection[Path] = (),
    ) -> None:
        """Look at `root`; `secret` are files that are never copied.

        `leave_out` names absolute paths that never belong to it, such as the state folder and the database; `besides` are files that do in any case.
        """
        self._root = root.resolve()
        plain = {name: value for name, value in environ.items() if not name.startswith("GIT_")}
        self._environ = {**plain, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
        self._leave_out = (_OUTPUT, *self._names_of(leave_out))
        named = named_paths(environ, project=self._root)
        self._content, self._secrets = self._names_of(named.content), self._names_of(named.secrets)
        self._besides = frozenset(os.path.normpath(name) for name in besides)
        self._never_copied = self._names_of(secret)
        self._is_git = self._has_git()

    def revision(self) -> Revision:
        """The commit and whether anything differs from it; without Git, neither is known."""
        if not self._is_git:
            return Revision()
        head = self._git("rev-parse", "--verify", "--quiet", "HEAD")
        above = self._read("rev-parse", "--show-prefix").strip("\n")  # status names paths from the top of the tree
        status = self._read(
            "status", "--porcelain", "-z", "--untracked-files=all", "--ignore-submodules=none", "--", "."
        )
        changes = [
            name for name in filter(None, status.split("\0")) if not self._is_left_out(name[3:].removeprefix(above))
        ]
        return Revision(head.stdout.strip() or None, dirty=bool(changes))

    def files(self) -> list[str]:
        """The names of all files, sorted; folders are not listed.

        With Git: what it tracks, what is new and not ignored, and installed roles and collections also where they are ignored. Without Git: everything.
        """
        found = self._git_files() if self._is_git else self._walk("")
        asked_for = {name for name in self._besides if (self._root / name).is_file()}
        wanted = {*asked_for, *(name for name in found if not self._is_left_out(name))}
        return sorted(wanted.difference(self._never_copied))

    def secrets(self) -> list[str]:
        """Files of passwords and keys within the root: those that Ansible's configuration names and Git ignores, and those that wellkept.yml names."""
        inside = {name for name in (*self._secrets, *self._never_copied) if (self._root / name).is_file()}
        return sorted(inside.difference(self.files()))

    def _names_of(self, paths: Iterable[Path]) -> tuple[str, ...]:
        resolved = (path.parent.resolve() / path.name for path in paths)
        return tuple(os.fspath(path.relative_to(self._root)) for path in resolved if path.is_relative_to(self._root))

    def _has_git(self) -> bool:
        """Whether the root is in a Git work tree that does not ignore it as a whole."""
        try:
            inside = self._git("rev-parse", "--is-inside-work-tree").stdout.strip() == "true"
        except FileNotFoundError:
            return False
        return inside and self._git("check-ignore", "--quiet", ".").exit_code != 0

    def _git_files(self) -> Iterator[str]:
        tracked = self._read("ls-files", "-z", "--cached", "--recurse-submodules")
        new = self._read("ls-files", "-z", "--others", "--exclude-standard")
        ignored = self._read("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
        for name in filter(None, f"{tracked}\0{new}".split("\0")):
            yield from self._at_or_below(name)
        for name in filter(None, ignored.split("\0")):
            yield from self._needed_of(name.rstrip("/"))

    def _needed_of(self, ignored: str) -> Iterator[str]:
        """Of what Git ignores: installed roles and collections, by the usual name or as the configuration names them."""
        folders = [folder for folder in self._content if _is_within(folder, ignored) or _is_within(ignored, folder)]
        if folders or _INSTALLED.intersection(ignored.split("/")):
            for name in self._at_or_below(ignored):
                if _INSTALLED.intersection(name.split("/")[:-1]) or any(_is_within(name, folder) for folder in folders):
                    yield name

    def _at_or_below(self, name: str) -> Iterator[str]:
        """The name itself, or all files below it when it is a folder (a repository within the repository)."""
        path = os.path.join(self._root, name.rstrip("/"))  # noqa: PTH118 - paths as objects are five times slower here
        if self._is_left_out(name):
            return
        if os.path.isdir(path) and not os.path.islink(path):  # noqa: PTH112, PTH114
            yield from self._walk(name.rstrip("/"))
        elif os.path.lexists(path):
            yield name

    def _walk(self, folder: str) -> Iterator[str]:
        for where, folders, files in os.walk(self._root / folder, onerror=_refuse):
            above = os.path.relpath(where, self._root) + "/"
            above = "" if above == "./" else above
            links = [name for name in folders if os.path.islink(f"{where}/{name}")]  # noqa: PTH114
            folders[:] = [name for name in folders if name not in links and not self._is_left_out(above + name)]
            yield from (above + name for name in [*files, *links])

    def _is_left_out(self, name: str) -> bool:
        return not _NEVER.isdisjoint(name.split("/")) or any(_is_within(name, out) for out in self._leave_out)

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


def _is_within(name: str, folder: str) -> bool:
    return name == folder or name.startswith(f"{folder}/")


def _refuse(error: OSError) -> None:
    raise Unknown(
        f"{error.filename}: the folder cannot be read: {error.strerror}. Give the user that runs Wellkept the right to read it."
    ) from error
