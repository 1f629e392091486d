"""What the requirements files of a maintenance repository ask of ansible-galaxy: which roles and collections, from where, and what is wrong with the files.

They are read as ansible-galaxy reads them: a list of roles, or a mapping with `roles` and `collections`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from runner.config import source as places
from runner.config.files import read_file
from runner.config.nearest import nearest
from runner.config.source import Source
from runner.domain.execution.requirements import Requirements, RequirementsFile
from runner.domain.record.record import canonical
from runner.errors import Problem

PLACES = ("requirements", "roles/requirements", "collections/requirements")
ENDINGS = (".yml", ".yaml")
OF_A_ROLE = ("name", "src", "scm", "version", "include", "role")
OF_A_COLLECTION = ("name", "version", "source", "type", "signatures")
PINNED_BY_CONTENT = ("file", "dir", "subdirs", "url")  # types of collections whose version lies in what is taken
_EXACT = re.compile(r"\s*(?:==?)?\s*v?\d[\w.+-]*\s*")
_MOVING = frozenset({"", "*", "head", "main", "master", "devel", "develop", "latest", "stable"})
_COLLECTION = re.compile(r"[A-Za-z_]\w*\.[A-Za-z_]\w*")
_NOT_TAKEN = frozenset({".git", ".venv", "__pycache__"})
_MOST_INCLUDES = 50


@dataclass(frozen=True, slots=True)
class RequirementsRead:
    """What the files ask for, and what is wrong with them."""

    wanted: Requirements = Requirements()
    problems: tuple[Problem, ...] = ()


def read_requirements(root: Path) -> RequirementsRead:
    """Read the requirements files at their usual places below `root`."""
    reader = _Reader(root)
    for place in PLACES:
        for path in (root / f"{place}{ending}" for ending in ENDINGS):
            if path.exists() and not _is_blank(path):
                reader.read(path)
    return RequirementsRead(reader.wanted(), tuple(reader.problems))


@dataclass(slots=True)
class _Reader:
    """Reads requirements files one after the other, and follows what they lead to in the repository."""

    root: Path
    files: list[RequirementsFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    taken: dict[str, None] = field(default_factory=dict)

    def wanted(self) -> Requirements:
        """Everything that was read."""
        if not self.files:
            return Requirements()
        taken = tuple(sorted({name for top in self.taken for name in _at_or_below(self.root, top)}))
        names = {*(file.name for file in self.files), *taken}
        return Requirements(tuple(self.files), taken, _digest(self.root, names))

    def read(self, path: Path) -> None:
        """Read one file."""
        source, found = read_file(self.root, path, tolerant=True)
        self.problems += found
        if source is None:
            return
        if isinstance(source.value, dict):
            self._mapping(source)
        else:
            self._keep(source, roles=self._roles(source, ()), collections=False)

    def _mapping(self, source: Source) -> None:
        assert isinstance(source.value, dict)  # noqa: S101  tells the type only
        for key in source.value:
            if key not in {"roles", "collections"}:
                says = f"{key}: ansible-galaxy knows roles: and collections: here and refuses anything else. Remove it"
                self.problems.append(source.problem((key,), says, at_key=True))
        roles = self._roles(source, ("roles",)) if source.value.get("roles") else False
        collections = self._collections(source) if source.value.get("collections") else False
        self._keep(source, roles=roles, collections=collections)

    def _keep(self, source: Source, *, roles: bool, collections: bool) -> None:
        if roles or collections:
            self.files.append(RequirementsFile(source.file, roles, collections))

    def _roles(self, source: Source, path: places.Path) -> bool:
        """Look at a list of roles; whether there are any."""
        for number, entry in self._entries(source, path):
            where = (*path, number)
            if isinstance(entry, dict) and "include" in entry:
                self._include(source, where, str(entry["include"]))
                continue
            role = _role(entry)
            if role is None:
                says = "a role is NAME, SRC,VERSION,NAME, or a mapping with name: or src:. Name it, such as geerlingguy.nginx"
                self.problems.append(source.problem(where, says))
                continue
            self._keys(source, where, entry, OF_A_ROLE)
            self._look(source, where, role, pinned=_names_one_version(role.version))
        return bool(source.at(path))

    def _collections(self, source: Source) -> bool:
        """Look at the list of collections; whether there are any."""
        for number, entry in self._entries(source, ("collections",)):
            where = ("collections", number)
            wanted = _collection(entry)
            if wanted is None:
                says = "a collection is NAMESPACE.NAME, or a mapping with name: or source:. Name it, such as community.general"
                self.problems.append(source.problem(where, says))
                continue
            self._keys(source, where, entry, OF_A_COLLECTION)
            kind = entry.get("type") if isinstance(entry, dict) else None
            exact = wanted.is_elsewhere or bool(_EXACT.fullmatch(wanted.version))
            pinned = kind in PINNED_BY_CONTENT or (_names_one_version(wanted.version) and exact)
            self._look(source, where, wanted, pinned=pinned)

        return bool(source.at(("collections",)))

    def _entries(self, source: Source, path: places.Path) -> Iterator[tuple[int, object]]:
        found = source.at(path)
        if isinstance(found, list):
            yield from enumerate(found)
        else:
            key = f"{path[0]}: " if path else ""
            self.problems.append(source.problem(path, f"{key}a list was expected. Begin each item with a dash"))

    def _keys(self, source: Source, where: places.Path, entry: object, known: tuple[str, ...]) -> None:
        """Keys that ansible-galaxy passes over in silence: a misspelt `version` would pin nothing."""
        for key in entry if isinstance(entry, dict) else ():
            if key not in known:
                near = nearest(key, known)
                hint = f" Did you mean {near}?" if near else ""
                says = f"{key}: ansible-galaxy passes over this key.{hint}"
                self.problems.append(source.problem((*where, key), says, at_key=True, severity="warning"))

    def _look(self, source: Source, where: places.Path, wanted: _Wanted, *, pinned: bool) -> None:
        """Whether what is taken is the same every day: part of the repository, or of one version."""
        local = _local(self.root, wanted.source)
        if local:
            self.taken[local] = None
        elif not pinned:
            given = f"version: {wanted.version} may be" if wanted.version else "it has no version, so that it may be"
            says = (
                f"{wanted.name}: {given} another one wherever and whenever it is installed anew. Pin it: version: 1.2.3"
            )
            self.problems.append(source.problem(where, says, severity="warning"))

    def _include(self, source: Source, where: places.Path, named: str) -> None:
        """Read a further list of roles; its path is relative to the root, where ansible-galaxy is started."""
        target = self.root / named
        local = _local(self.root, named)
        if local is None or not target.is_file():
            self.problems.append(
                source.problem((*where, "include"), f"include: there is no file {named} below the root")
            )
        elif local not in self.taken and len(self.taken) < _MOST_INCLUDES:
            self.taken[local] = None
            included, found = read_file(self.root, target, tolerant=True)
            self.problems += found
            if included is not None:
                self._roles(included, ())


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One entry: what people call it, where it is taken from, and its version; `is_elsewhere` when no Galaxy server is asked for it."""

    name: str
    source: str
    version: str
    is_elsewhere: bool = False


def _role(entry: object) -> _Wanted | None:
    """A role as ansible-galaxy understands its entry."""
    if isinstance(entry, str) and entry.strip():
        src, version, name = [*(part.strip() for part in entry.split(",")), "", ""][:3]
        return _Wanted(name or src, src, version)
    if not isinstance(entry, dict):
        return None
    src = str(entry.get("src") or entry.get("name") or entry.get("role") or "")
    name = str(entry.get("name") or entry.get("role") or src)
    return _Wanted(name, src, str(entry.get("version") or "")) if src else None


def _collection(entry: object) -> _Wanted | None:
    """A collection as ansible-galaxy understands its entry."""
    if isinstance(entry, str) and entry.strip():
        return _Wanted(entry, "" if _COLLECTION.fullmatch(entry) else entry, "", not _COLLECTION.fullmatch(entry))
    if not isinstance(entry, dict):
        return None
    name, version = str(entry.get("name") or ""), str(entry.get("version") or "")
    elsewhere = not _COLLECTION.fullmatch(name) or entry.get("type") not in {None, "galaxy"}
    where = str(entry.get("source") or name) if elsewhere else ""
    return _Wanted(name or where, where, version, elsewhere) if name or where else None


def _names_one_version(version: str) -> bool:
    return version.strip().lower() not in _MOVING


def _local(root: Path, source: str) -> str | None:
    """A source below the root, relative to it; None for one elsewhere, such as an absolute path, which another copy of the repository would not have."""
    path = source.partition(",")[0].removeprefix("git+").partition("#")[0]
    if not path or "://" in path or "@" in path or os.path.isabs(path):  # noqa: PTH117
        return None
    found = os.path.normpath(path)
    outside = found == os.curdir or Path(found).parts[0] == os.pardir
    return None if outside or not (root / found).exists() else found


def _at_or_below(root: Path, top: str) -> Iterator[str]:
    """A file, or a folder with all files and folders below it; what no copy of the repository has is left out."""
    yield top
    for where, folders, files in os.walk(root / top):
        folders[:] = [name for name in folders if name not in _NOT_TAKEN]
        yield from (os.path.relpath(os.path.join(where, name), root) for name in (*folders, *files))  # noqa: PTH118


def _digest(root: Path, names: set[str]) -> str:
    """SHA-256 over the files by name and content."""
    found = {name: hashlib.sha256((root / name).read_bytes()).hexdigest() for name in names if (root / name).is_file()}
    return hashlib.sha256(canonical(found)).hexdigest()


def _is_blank(path: Path) -> bool:
    """Whether a file holds nothing but comments, as one that was laid out beforehand does."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else ["?"]
    except (OSError, UnicodeDecodeError):
        return False
    return not any(line.strip() and not line.lstrip().startswith(("#", "---", "...")) for line in lines)
