"""The files of an exported record: their names, what is in each, and the page that says how to check them without Wellkept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from runner.domain.execution.approval import NAMESPACE as APPROVAL
from runner.domain.record.record import NAMESPACE, canonical

FORMAT = 1
ENTRIES, CHECKPOINTS, APPROVALS = "entries", "checkpoints", "approvals"
MANIFEST, SIGNERS, SUMS, README = "manifest.json", "allowed_signers", "SHA256SUMS", "README.txt"
APPROVERS = "allowed_approvers"
SIGNER = "wellkept"
BLOCK = 1 << 20  # bytes read at a time


@dataclass(frozen=True, slots=True)
class Stretch:
    """The part of a stream that an export holds; `closed` says that the stream has ended, so that its parent must name its last hash."""

    first: int
    last: int
    hash: str
    closed: bool


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an export holds; `partial` when it is not the whole record, and `scope` what was asked for."""

    installation: str
    partial: bool
    scope: Mapping[str, object]
    streams: Mapping[str, Stretch]


def manifest_text(manifest: Manifest) -> bytes:
    """The manifest as canonical JSON."""
    return canonical({"format": FORMAT, **asdict(manifest)})


def signers_text(keys: list[str]) -> str:
    """The file that `ssh-keygen -Y verify -f` reads: who may sign, for what, with which key."""
    return "".join(f'{SIGNER} namespaces="{NAMESPACE}" {key}\n' for key in keys)


def approvers_text(keys: Iterable[tuple[str, str]]) -> str:
    """The same for approvals: each person who signed one, and their key."""
    return "".join(f'{name} namespaces="{APPROVAL}" {key}\n' for name, key in keys)


def sums_text(folder: Path) -> str:
    """The SHA-256 of every other file below a folder, as `sha256sum` writes it."""
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return "".join(f"{file_digest(folder / name)}  {name}\n" for name in files if name != SUMS)


def file_digest(path: Path) -> str:
    """The SHA-256 of a file's content, read a block at a time."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


README_TEXT = f"""This folder is a copy of a Wellkept record: what was done, when, by whom, and how it ended.

  {ENTRIES}/         one JSON object on each line; each carries the SHA-256 of the one before it
  {CHECKPOINTS}/     signed statements of where the record stood, and their signatures
  {SIGNERS}  the public keys that signed them
  {APPROVALS}/       what each approver of a run signed, and the signatures, if any run was approved so
  {MANIFEST}    what this copy holds
  {SUMS}       the SHA-256 of every file here

To check all of it:

  wellkept record verify FOLDER

To check it without Wellkept:

1. Nothing was changed by accident:

     sha256sum -c {SUMS}

2. A checkpoint was signed with the key in {SIGNERS} (compare that key with the one you were given by another way; `ssh-keygen -l -f KEY.pub` prints
   the fingerprint that each checkpoint names as key_id):

     ssh-keygen -Y verify -f {SIGNERS} -I {SIGNER} -n {NAMESPACE} \\
       -s {CHECKPOINTS}/NAME.json.sig < {CHECKPOINTS}/NAME.json

3. The entries lead to the signed hash. In each stream, take the entries in the order of `seq`. The hash of an entry is the SHA-256 of the entry without its
   member `hash`, written with sorted members, without spaces, in UTF-8. It must be equal to `hash`; `prev` must be the hash of the entry before, or 64 zeros
   in the first one. The entry whose stream and seq a checkpoint names must have the checkpoint's hash.

     import hashlib, json, sys
     for line in open(sys.argv[1], "rb"):
         entry = json.loads(line)
         given = entry.pop("hash")
         text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
         print(entry["stream"], entry["seq"], hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest() == given)

4. A stream that has ended is named, with its last hash, by an entry whose action ends in `.closed`: a piece's in its run's stream, a run's in the stream
   `installation`. So a signature over `installation` vouches for everything that had ended by then.

5. A run was approved by the person whom its first entry names (`approved`), for the very digest (`plan_digest`) and hosts that ran: if the approver has
   a key, the message in {APPROVALS}/ says so, and was signed with it (compare the key in {APPROVERS} with the one that you know as theirs):

     ssh-keygen -Y verify -f {APPROVERS} -I NAME -n {APPROVAL} \\
       -s {APPROVALS}/ID.json.sig < {APPROVALS}/ID.json
"""
