"""Roles and collections that requirements files name, installed by the user's own ansible-galaxy into folders that never change.

requirements/<digest>/roles, …/collections   what was installed: read-only
requirements/.lists/<digest>                 its files, to see whether anybody has changed them since
requirements/.asked/<key>                    what an asking came to: a digest, or why it could not be installed
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from runner.adapters.ansible.redaction import HIDDEN
from runner.adapters.programs import Ran, own_programs_last, program_version, run_program
from runner.adapters.stored_files import Entry, alone_in, described, is_as_listed, make_read_only
from runner.domain.execution.own_ansible import AnsibleSettings
from runner.domain.execution.requirements import Installed, InstalledItem, NotInstalled, Requirements
from runner.domain.settings import Settings
from runner.errors import Unknown

TIME_LIMIT = 600.0  # seconds for one call of ansible-galaxy, which may fetch a few hundred megabytes
LOOKED_AT = 30.0  # seconds that files which were found untouched are not looked at again

_NO_CONTENT = re.compile(r"/meta/\.galaxy_install_info$|/ansible_collections/[^/]+\.info/")  # says when and from where
_ROLE_VERSION = re.compile(r"^version:\s*['\"]?(.*?)['\"]?\s*$", re.MULTILINE)
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_HINTS = ("--ignore-errors", "--force")


class AnsibleGalaxy:
    """A `Galaxy`: looks up what is installed without any network, and installs what is not when it is told to."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        environ: Mapping[str, str],
        clock: Callable[[], datetime],
        *,
        redacted: Callable[[str], str] = str,
        time_limit: float = TIME_LIMIT,
    ) -> None:
        """`settings` tell the state folder, and the repository that a relative folder of programs lies in; `redacted` takes secrets out of a text."""
        self._settings, self._clock, self._redacted = settings, clock, redacted
        self._environ, self._time_limit = own_programs_last(environ), time_limit
        self._untouched: dict[str, float] = {}

    def installed(self, wanted: Requirements, ansible: AnsibleSettings) -> Installed | None:
        """What was installed for these requirements by this Ansible's ansible-galaxy, if it is there and untouched; raises Unknown when there is none."""
        asked = self._asked(wanted, ansible)
        return self.kept(asked["content"]) if asked.get("content") else None

    def trouble(self, wanted: Requirements, ansible: AnsibleSettings) -> NotInstalled | None:
        """Why the last attempt to install them failed; None when it did not, or there was none."""
        try:
            asked = self._asked(wanted, ansible)
        except Unknown as error:
            return NotInstalled(str(error), self._clock())
        return NotInstalled(asked["failed"], datetime.fromisoformat(asked["at"])) if asked.get("failed") else None

    def kept(self, digest: str) -> Installed | None:
        """What lies in the folder of that digest, if it is there and nobody has changed it."""
        try:
            listed = json.loads((self._lists / digest).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if not self._is_untouched(digest, listed["files"]):
            return None
        return Installed(digest, {name: InstalledItem(**item) for name, item in listed["items"].items()})

    def folder(self, digest: str) -> Path:
        """Where that content lies: roles, and collections, each in a folder of its own."""
        return self._folder / digest

    def folder_for(self, wanted: Requirements, ansible: AnsibleSettings) -> Path | None:
        """Where it lies installed; None when it is not."""
        try:
            found = self.installed(wanted, ansible) if wanted and ansible.installs else None
        except Unknown:
            return None
        return self.folder(found.digest) if found else None

    def install(self, wanted: Requirements, ansible: AnsibleSettings, *, project: Path) -> Installed:
        """Install them, unless somebody did meanwhile; `project` is an unchanging copy of the repository. Raises Unknown with ansible-galaxy's reason."""
        key, program = self._key(wanted, ansible), self._program(ansible)
        with self._locked():
            if found := self.installed(wanted, ansible):
                return found
            work = Path(tempfile.mkdtemp(prefix=".installing-", dir=self._folder))
            try:
                self._fill(work, wanted, program, self._environment(work, ansible, project), project)
                found = self._keep(work)
            except (OSError, Unknown) as error:
                self._note(key, failed=str(error))
                raise Unknown(str(error)) from error
            self._note(key, content=found.digest)
        return found

    @property
    def _folder(self) -> Path:
        return self._settings().state_dir / "requirements"

    @property
    def _lists(self) -> Path:
        return self._folder / ".lists"

    def _asked(self, wanted: Requirements, ansible: AnsibleSettings) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self._folder / ".asked" / self._key(wanted, ansible)).read_text())
        except (OSError, ValueError):
            return {}
        return found

    def _note(self, key: str, **told: str) -> None:
        path = self._folder / ".asked" / key
        half = path.with_name(f".{key}")
        half.write_text(json.dumps({**told, "at": self._clock().isoformat()}), encoding="utf-8")
        half.replace(path)

    def _key(self, wanted: Requirements, ansible: AnsibleSettings) -> str:
        """What an asking is known by: what is asked for, and the release of the Ansible that it is asked of."""
        return hashlib.sha256(f"{wanted.digest}\0{self._release(self._program(ansible))}".encode()).hexdigest()

    def _program(self, ansible: AnsibleSettings) -> str:
        path = self._environ.get("PATH", "")
        found = shutil.which(
            "ansible-galaxy", path=f"{self._settings().root / ansible.bin}{os.pathsep}{path}" if ansible.bin else path
        )
        if found is None:
            raise Unknown("there is no ansible-galaxy beside ansible-playbook. Install ansible-core")
        return found

    def _release(self, program: str) -> str:
        """The release of a program, such as `2.19`: a later patch of it installs the same."""
        try:
            return ".".join(program_version(program, environ=self._environ).split(".")[:2])
        except LookupError as reason:
            raise Unknown(f"{program} does not tell its version: {reason.args[0]}") from reason

    def _environment(self, work: Path, ansible: AnsibleSettings, project: Path) -> dict[str, str]:
        """The user's own environment and configuration, but for where is looked and installed: what lies elsewhere must not count as installed."""
        own = {
            **self._environ,
            "ANSIBLE_ROLES_PATH": str(work / "roles"),
            "ANSIBLE_COLLECTIONS_PATH": str(work / "collections"),
            "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "0",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORCE_COLOR": "0",
            "GIT_TERMINAL_PROMPT": "0",
        }
        own.pop("ANSIBLE_COLLECTIONS_PATHS", None)
        return {**own, "ANSIBLE_CONFIG": str(project / ansible.config)} if ansible.config else own

    def _fill(self, work: Path, wanted: Requirements, program: str, environ: Mapping[str, str], project: Path) -> None:
        for name in ("roles", "collections"):
            (work / name).mkdir()
        for file in wanted.files:
            named = str(project / file.name)
            if file.roles:
                self._call(
                    [program, "role", "install", "-r", named, "-p", str(work / "roles")], environ, project, file.name
                )
            if file.collections:
                into = str(work / "collections")
                self._call([program, "collection", "install", "-r", named, "-p", into], environ, project, file.name)

    def _call(self, argv: list[str], environ: Mapping[str, str], project: Path, file: str) -> None:
        ran = self._run(argv, environ, project, time_limit=self._time_limit)
        if not ran.succeeded:
            raise Unknown(f"{file} could not be installed: {self._hidden(_words(ran), environ)}")

    def _run(self, argv: list[str], environ: Mapping[str, str], cwd: Path | None, *, time_limit: float) -> Ran:
        try:
            return run_program(argv, environ=environ, time_limit=time_limit, cwd=cwd)
        except OSError as error:
            raise Unknown(f"{argv[0]} cannot be started: {error.strerror or error}") from error

    def _hidden(self, words: str, environ: Mapping[str, str]) -> str:
        """The words without passwords of addresses and without tokens of servers."""
        for name, value in environ.items():
            if name.startswith("ANSIBLE_GALAXY") and name.endswith(("TOKEN", "PASSWORD")) and value:
                words = words.replace(value, HIDDEN)
        return self._redacted(_CREDENTIALS.sub(HIDDEN, words))

    def _keep(self, work: Path) -> Installed:
        """Give what was installed its name, unless the same lies there untouched."""
        entries = [_settled(work, path) for path in sorted(_files(work))]
        make_read_only(work)
        digest = _digest(entries)
        items = dict(_items(work, entries))
        if self.kept(digest) is None:
            if (place := self.folder(digest)).exists():
                place.rename(tempfile.mkdtemp(prefix=".changed-", dir=self._folder))
            rows = [[each.path, each.content, each.mode, each.size, each.mtime] for each in entries]
            text = json.dumps({"items": {name: asdict(item) for name, item in items.items()}, "files": rows})
            (self._lists / digest).write_text(text, encoding="utf-8")
            work.rename(place)
        return Installed(digest, items)

    def _is_untouched(self, digest: str, rows: list[list[Any]]) -> bool:
        now = time.monotonic()
        if now - self._untouched.get(digest, -LOOKED_AT) < LOOKED_AT:
            return True
        is_whole = all(is_as_listed(self.folder(digest) / row[0], Entry(*row)) for row in rows)
        if is_whole and self.folder(digest).is_dir():
            self._untouched[digest] = now
        return is_whole and self.folder(digest).is_dir()

    def _locked(self) -> AbstractContextManager[None]:
        """Keep other processes from installing meanwhile."""
        half_made = (".installing-*", ".changed-*")
        return alone_in(self._folder, self._lists, self._folder / ".asked", half_made=half_made)


def _files(work: Path) -> Iterator[str]:
    """All files and links, relative; links to folders are not followed."""
    for where, folders, files in os.walk(work):
        links = [name for name in folders if (Path(where) / name).is_symlink()]
        yield from (os.path.relpath(Path(where) / name, work) for name in (*files, *links))


def _settled(work: Path, path: str) -> Entry:
    """One file or link as it is to stay; nobody may write to the file any more."""
    place = work / path
    if place.is_symlink():
        return Entry(path, os.fspath(place.readlink()))
    entry = described(place, path)
    place.chmod(entry.mode)
    return entry


def _digest(entries: list[Entry]) -> str:
    """SHA-256 over what is content: the same roles and collections have the same one wherever and whenever they were installed."""
    lines = (entry.line for entry in entries if not _NO_CONTENT.search(f"/{entry.path}"))
    return hashlib.sha256(b"".join(lines)).hexdigest()


def _items(work: Path, entries: list[Entry]) -> Iterator[tuple[str, InstalledItem]]:
    """Each role and collection, with its version and the digest of its files."""
    for folder in sorted((work / "roles").iterdir()):
        yield f"role {folder.name}", InstalledItem(_role_version(folder), _digest(_below(work, folder, entries)))
    for manifest in sorted((work / "collections").glob("ansible_collections/*/*/MANIFEST.json")):
        told = json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]
        digest = _digest(_below(work, manifest.parent, entries))
        yield f"collection {told['namespace']}.{told['name']}", InstalledItem(str(told["version"]), digest)


def _below(work: Path, folder: Path, entries: list[Entry]) -> list[Entry]:
    above = f"{folder.relative_to(work)}/"
    return [entry for entry in entries if entry.path.startswith(above)]


def _role_version(folder: Path) -> str:
    info = folder / "meta" / ".galaxy_install_info"
    found = _ROLE_VERSION.search(info.read_text(encoding="utf-8")) if info.is_file() else None
    return found[1] if found else ""


def _words(ran: Ran) -> str:
    """The first thing that ansible-galaxy said went wrong, in one line; its hints about its own options are left out."""
    said = re.split(r"^\s*(?=\[?(?:ERROR|WARNING)\b)", ran.stderr or ran.stdout, flags=re.MULTILINE)
    told = [" ".join(part.split()) for part in said if part.strip() and not any(hint in part for hint in _HINTS)]
    wrong = [part for part in told if part.startswith(("ERROR", "[ERROR"))] or told
    return ran.cut or (wrong[0][:500] if wrong else ran.words)
