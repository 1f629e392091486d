"""Copies the record, or a part of it, into a folder that anybody can check without Wellkept and without its database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from runner.domain.execution.run import PieceState, RunState
from runner.domain.record.record import INSTALLATION, Checkpoint, LogEntry, closing_in, piece_stream, run_stream
from runner.errors import Unknown, UsageError
from runner.operations.record import record_files as files
from runner.operations.record.record_files import Manifest, Stretch
from runner.store.database import Store
from runner.store.execution import approvals, pieces, runs
from runner.store.execution.runs import Run
from runner.store.record import checkpoints, log
from runner.store.transaction import Transaction

ENDED = {PieceState.FINISHED, PieceState.LOST}


@dataclass(frozen=True, slots=True)
class Exported:
    """What was copied, and where to."""

    folder: Path
    streams: int
    entries: int
    checkpoints: int


@dataclass(frozen=True, slots=True)
class Scope:
    """Which part of the record is copied: entries dated in [from_, to) with the runs that were going then, or one run, or all."""

    from_: datetime | None = None
    to: datetime | None = None
    run: str | None = None

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return self.from_ is None and self.to is None and self.run is None


@dataclass(frozen=True, slots=True)
class Wanted:
    """One stream to copy: up to `until` (None for all of it), and whether it has ended."""

    stream: str
    file: str
    after: int = 0
    until: int | None = None
    closed: bool = False


def export_record(
    store: Store,
    folder: Path,
    *,
    from_: datetime | None = None,
    to: datetime | None = None,
    run: str | None = None,
) -> Exported:
    """Copy the record into an empty or new folder: entries dated in [from_, to), or one run (by number or id), or everything.

    The installation's own entries go on to the next signed place, so that a signature vouches for all that was asked for. Raises UsageError when the folder
    is not empty, and Unknown when it cannot be written.
    """
    scope = Scope(from_, to, run)
    make_room(folder)
    try:
        return store.read(partial(write_copy, folder=folder, scope=scope, installation=store.installation.id))
    except OSError as reason:
        raise Unknown(
            f"{folder}: the record cannot be copied there ({reason.strerror}); name another folder."
        ) from reason


def make_room(folder: Path) -> None:
    """Make the folder, or refuse one that holds something."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # whoever exports it decides who else may read it
        if any(folder.iterdir()):
            raise UsageError(f"{folder}: is not empty; name a new folder, so that the copy holds nothing else.")
    except OSError as reason:
        raise Unknown(f"{folder}: cannot be made ({reason.strerror}); name another folder.") from reason


def write_copy(connection: Transaction, *, folder: Path, scope: Scope, installation: str) -> Exported:
    """Write every file; the sums come last, so that a copy without them is known to be unfinished."""
    for name in (files.ENTRIES, files.CHECKPOINTS):
        (folder / name).mkdir(exist_ok=True)
    stretches = write_streams(connection, folder, wanted_streams(connection, scope))
    signed = [each for stream in stretches for each in signed_within(connection, stream, stretches[stream])]
    write_checkpoints(folder, signed)
    write_approvals(connection, folder, runs_within(connection, scope))
    manifest = Manifest(installation, not scope.is_all, scope_in_words(scope), stretches)
    (folder / files.MANIFEST).write_bytes(files.manifest_text(manifest))
    (folder / files.README).write_text(files.README_TEXT, "utf-8")
    (folder / files.SUMS).write_text(files.sums_text(folder), "utf-8")
    entries = sum(stretch.last - stretch.first + 1 for stretch in stretches.values())
    return Exported(folder, len(stretches), entries, len(signed))


def scope_in_words(scope: Scope) -> dict[str, object]:
    """What was asked for, for the manifest."""
    return {"from": scope.from_, "run": scope.run, "to": scope.to}


def wanted_streams(connection: Transaction, scope: Scope) -> Iterator[Wanted]:
    """The streams to copy: the runs that were going, their pieces, and the installation's part that closes and signs them."""
    going = runs_within(connection, scope)
    yield installation_part(connection, scope, going)
    known = {INSTALLATION}
    for run in going:
        for wanted in streams_of(connection, run):
            known.add(wanted.stream)
            yield wanted
    if scope.is_all:  # streams that belong to no run are copied too: whatever was recorded is part of the record
        yield from (
            Wanted(stream, f"{files.ENTRIES}/other.jsonl") for stream in log.streams(connection) if stream not in known
        )


def runs_within(connection: Transaction, scope: Scope) -> list[Run]:
    """The run that was asked for, or those that were going in the time that was asked for."""
    if scope.run is not None:
        return [runs.find(connection, scope.run)]
    return runs.going_between(connection, scope.from_, scope.to)


def streams_of(connection: Transaction, run: Run) -> Iterator[Wanted]:
    """A run's own stream, and its pieces'."""
    file = f"{files.ENTRIES}/run-{run.number:06}.jsonl"
    yield Wanted(run_stream(run.id), file, closed=run.state is RunState.SETTLED)
    for piece in pieces.of_run(connection, run.id):
        yield Wanted(piece_stream(piece.id), file, closed=piece.state in ENDED)


def installation_part(connection: Transaction, scope: Scope, going: Iterable[Run]) -> Wanted:
    """The installation's entries of that time, on to where each run is closed, and on to the next signed place."""
    file = f"{files.ENTRIES}/installation.jsonl"
    if scope.is_all:
        return Wanted(INSTALLATION, file)
    from_, to = times_of(scope, going)
    before = log.span(connection, INSTALLATION, None, from_) if from_ else None
    after = before[1] if before else 0
    within = log.span(connection, INSTALLATION, from_, to)
    if within:
        after = min(after, within[0] - 1)
    closed = {run_stream(run.id) for run in going if run.state is RunState.SETTLED}
    until = max(within[1] if within else after, last_closing(connection, after, closed))
    signed = checkpoints.next_from(connection, INSTALLATION, until) if until > after else None
    return Wanted(INSTALLATION, file, after, signed.seq if signed else until)


def times_of(scope: Scope, going: Iterable[Run]) -> tuple[datetime | None, datetime | None]:
    """The time that was asked for, or that of the one run."""
    if scope.run is None:
        return scope.from_, scope.to
    run = next(iter(going))
    return run.created_at, run.ended_at


def last_closing(connection: Transaction, after: int, streams: set[str]) -> int:
    """The number of the entry with which the last of these streams was closed; 0 when none was."""
    missing, last = set(streams), 0
    for entry in log.entries(connection, INSTALLATION, after):
        if not missing:
            break
        closing = closing_in(entry)
        if closing and closing[0] in missing:
            missing.discard(closing[0])
            last = entry.seq
    return last


def write_streams(connection: Transaction, folder: Path, wanted: Iterable[Wanted]) -> dict[str, Stretch]:
    """Write the entries of each stream, a page in memory at a time; streams without an entry are left out."""
    stretches: dict[str, Stretch] = {}
    fresh: set[str] = set()
    for each in wanted:
        mode = "ab" if each.file in fresh else "wb"
        entries = log.entries(connection, each.stream, each.after, each.until)
        with (folder / each.file).open(mode) as file:
            fresh.add(each.file)
            first = last = None
            for entry in entries:
                first, last = first or entry, entry
                file.write(entry.line() + b"\n")
        if first and last:
            stretches[each.stream] = stretch(first, last, each)
    return stretches


def stretch(first: LogEntry, last: LogEntry, wanted: Wanted) -> Stretch:
    """What was copied of one stream."""
    return Stretch(first.seq, last.seq, last.hash, wanted.closed)


def signed_within(connection: Transaction, stream: str, copied: Stretch) -> list[Checkpoint]:
    """The checkpoints over what was copied of a stream."""
    return checkpoints.of_stream(connection, stream, copied.first, copied.last)


def write_checkpoints(folder: Path, signed: Iterable[Checkpoint]) -> None:
    """Write each signed message byte for byte, its signature beside it, and the keys."""
    keys: dict[str, None] = {}
    for number, checkpoint in enumerate(signed, start=1):
        keys[checkpoint.public_key] = None
        path = folder / files.CHECKPOINTS / f"{number:06}.json"
        path.write_bytes(checkpoint.message.encode())
        path.with_suffix(".json.sig").write_text(checkpoint.signature, "utf-8")
    (folder / files.SIGNERS).write_text(files.signers_text(list(keys)), "utf-8")


def write_approvals(connection: Transaction, folder: Path, going: Iterable[Run]) -> None:
    """Write the message that each approver of these runs signed, byte for byte, its signature beside it, and the keys; what was not signed is only logged."""
    given = [approvals.get(connection, run.approval_id) for run in going if run.approval_id]
    signed = {each.id: each for each in given if each and each.signature}
    for each in signed.values():
        path = folder / files.APPROVALS / f"{each.id}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(each.message.encode())
        path.with_suffix(".json.sig").write_text(each.signature or "", "utf-8")
    if signed:
        keys = dict.fromkeys((each.by.name, each.public_key or "") for each in signed.values())
        (folder / files.APPROVERS).write_text(files.approvers_text(keys), "utf-8")
