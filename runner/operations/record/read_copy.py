"""Reads an exported record back, trusting nothing in it: whatever is odd about a file is a fault."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from runner.domain.record.record import Checkpoint, Link, LogEntry, key_id, read_checkpoint, read_line
from runner.domain.record.record_faults import Expected, Fault, FaultKind
from runner.errors import UsageError
from runner.operations.record import record_files as files
from runner.operations.record.record_files import Manifest, Stretch, manifest_text
from runner.operations.record.verify_approvals import Sealed

EMPTY = Manifest(installation="", partial=True, scope={}, streams={})
CHANGED = "is not as it was when the record was copied"


class Copy:
    """An exported record in a folder; `faults` grows as its files are read."""

    def __init__(self, folder: Path) -> None:
        """Look at the sums and the manifest; raises UsageError when the folder holds no exported record."""
        if not (folder / files.MANIFEST).is_file():
            raise UsageError(f"{folder}: holds no exported record; `wellkept record export FOLDER` makes one.")
        self.folder = folder
        self.faults: list[Fault] = []
        self._compare_sums()
        self.manifest = self._read_manifest()

    def _find(self, name: str, text: str) -> None:
        self.faults.append(Fault(name, 0, FaultKind.BAD_FILE, text))

    def _compare_sums(self) -> None:
        """A file that is missing, new or changed is a fault, and so is a changed file of sums."""
        sums = self.folder / files.SUMS
        if not sums.is_file():
            self._find(files.SUMS, "is missing: the copy is not finished, or somebody took it away")
            return
        said, found = sums.read_bytes(), files.sums_text(self.folder).encode()
        if said == found:
            return
        names = [name for name in sums_in(said) | sums_in(found) if sums_in(said).get(name) != sums_in(found).get(name)]
        for name in sorted(names) or [files.SUMS]:
            self._find(name, CHANGED)

    def _read_manifest(self) -> Manifest:
        raw = (self.folder / files.MANIFEST).read_bytes()
        try:
            manifest = manifest_from(json.loads(raw))
            written = manifest_text(manifest)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as reason:
            self._find(files.MANIFEST, f"cannot be read ({reason})")
            return EMPTY
        if written != raw:
            self._find(files.MANIFEST, "is not in the one canonical form")
        return manifest

    def expected(self) -> dict[str, Expected]:
        """What the manifest says of each stream."""
        return {
            stream: Expected(first=each.first, last=Link(each.last, each.hash), closed=each.closed)
            for stream, each in self.manifest.streams.items()
        }

    def entries(self) -> Iterator[LogEntry]:
        """Every entry, file by file, one in memory at a time."""
        for path in sorted((self.folder / files.ENTRIES).glob("*.jsonl")):
            with path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    entry = self._entry(f"{files.ENTRIES}/{path.name}", number, line)
                    if entry is not None:
                        yield entry

    def _entry(self, name: str, number: int, line: bytes) -> LogEntry | None:
        try:
            if not line.endswith(b"\n"):
                raise ValueError("the line is cut off")
            return read_line(line[:-1])
        except ValueError as reason:
            self.faults.append(Fault(f"{name} line {number}", 0, FaultKind.BAD_ENTRY, str(reason)))
            return None

    def checkpoints(self) -> Iterator[Checkpoint]:
        """Every checkpoint with its signature and the key that it names; the signature is not checked here."""
        keys = self._keys()
        for path in sorted((self.folder / files.CHECKPOINTS).glob("*.json")):
            name = f"{files.CHECKPOINTS}/{path.name}"
            try:
                signature = path.with_suffix(".json.sig").read_text("utf-8")
                stated, _ = read_checkpoint(path.read_bytes(), signature=signature, public_key="")
                public_key = keys[stated.key_id]
                yield read_checkpoint(path.read_bytes(), signature=signature, public_key=public_key)[0]
            except KeyError as key:
                self._find(name, f"was signed with a key that {files.SIGNERS} does not have ({key.args[0]})")
            except (ValueError, OSError) as reason:
                self._find(name, f"is no checkpoint ({reason})")

    def _keys(self) -> Mapping[str, str]:
        """Key id -> public key, from the file of signers."""
        try:
            text = (self.folder / files.SIGNERS).read_text("utf-8")
            keys = [line.partition('" ')[2] for line in text.splitlines()]
            found = {key_id(key): key for key in keys}
        except (OSError, ValueError) as reason:
            self._find(files.SIGNERS, f"cannot be read ({reason})")
            return {}
        if files.signers_text(keys) != text:
            self._find(files.SIGNERS, CHANGED)
        return found

    def approvals(self) -> Iterator[Sealed]:
        """Every approval with its signature and the keys of its approver; the signature is not checked here."""
        keys = self._approvers()
        for path in sorted((self.folder / files.APPROVALS).glob("*.json")):
            name = f"{files.APPROVALS}/{path.name}"
            try:
                message, signature = path.read_bytes(), path.with_suffix(".json.sig").read_text("utf-8")
                approver = str(json.loads(message)["approver"])
                yield Sealed(name, approver, message, signature, keys[approver])
            except KeyError as key:
                self._find(name, f"{files.APPROVERS} has no key of who signed it ({key.args[0]})")
            except (ValueError, TypeError, OSError, RecursionError) as reason:
                self._find(name, f"is no approval ({reason})")

    def _approvers(self) -> dict[str, tuple[str, ...]]:
        """The keys of each approver, by the file of approvers, which must be exactly as an export writes it."""
        path = self.folder / files.APPROVERS
        text = path.read_text("utf-8", "backslashreplace") if path.is_file() else ""
        found: list[tuple[str, str]] = []
        for line in text.splitlines():
            name, _, rest = line.partition(" ")
            found.append((name, rest.partition(" ")[2]))
        if files.approvers_text(found) != text:
            self._find(files.APPROVERS, CHANGED)
        return {name: tuple(key for other, key in found if other == name) for name, _ in found}


def sums_in(text: bytes) -> dict[str, str]:
    """File name -> SHA-256, from the lines of a file of sums."""
    pairs = (line.partition("  ") for line in text.decode("utf-8", "backslashreplace").split("\n") if line)
    return {name: digest for digest, _, name in pairs}


def manifest_from(said: Mapping[str, object]) -> Manifest:
    """The manifest that JSON values state; raises KeyError or TypeError when they state none."""
    streams, scope, partial = said["streams"], said["scope"], said["partial"]
    if not isinstance(streams, dict) or not isinstance(scope, dict) or not isinstance(partial, bool):
        raise TypeError("a member is of the wrong kind")
    stretches = {name: Stretch(**each) for name, each in streams.items()}
    if not all(isinstance(number, int) for each in stretches.values() for number in (each.first, each.last)):
        raise TypeError("a number is missing")
    return Manifest(installation=str(said["installation"]), partial=partial, scope=scope, streams=stretches)
