"""Checks the record, in the database or in an exported copy: names the first bad entry, gap, fork or truncation."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runner.domain.record.record import (
    INSTALLATION,
    Checkpoint,
    LogEntry,
    key_id,
    piece_stream,
    read_checkpoint,
    run_stream,
)
from runner.domain.record.record_faults import Expected, Fault, FaultKind, verify
from runner.operations.record.read_copy import Copy
from runner.operations.record.verify_approvals import VerifySignature, bad_approvals, sealed_in
from runner.store.database import Store
from runner.store.execution import approvals, pieces, runs
from runner.store.record import checkpoints, log
from runner.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class RecordReport:
    """What checking the record came to.

    `keys` are the ids of the keys that signed it, and `approvals` counts those that people signed. `signed_until` is the last entry of the installation's
    stream that a checkpoint vouches for, and `last` the last one that there is: what lies between could still be rewritten unnoticed by somebody who can
    write the database.
    """

    faults: tuple[Fault, ...]
    streams: int
    entries: int
    checkpoints: int
    keys: tuple[str, ...]
    signed_until: int
    last: int
    approvals: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


@dataclass(slots=True)
class Counted:
    """Entries as they pass by, counted; `last` is the last one of the installation's stream."""

    streams: set[str] = field(default_factory=set)
    entries: int = 0
    last: int = 0

    def through(self, entries: Iterable[LogEntry]) -> Iterator[LogEntry]:
        """The same entries."""
        for entry in entries:
            self.entries += 1
            self.streams.add(entry.stream)
            if entry.stream == INSTALLATION:
                self.last = max(self.last, entry.seq)
            yield entry


def verify_record(
    source: Store | Path, *, verify_signature: VerifySignature, trusted_keys: Collection[str] | None = None
) -> RecordReport:
    """Check the record in the database, or the exported copy in a folder (which needs no database).

    `trusted_keys` are public keys that the caller got by another way; a checkpoint of any other key is a fault then. Raises UsageError when the folder holds
    no exported record.
    """
    trusted = None if trusted_keys is None else {key_id(key) for key in trusted_keys}
    if isinstance(source, Path):
        copy = Copy(source)
        return verify_copy(copy, Signatures(verify_signature, trusted, copy.manifest.installation))
    check = Signatures(verify_signature, trusted, source.installation.id)
    return source.read(lambda c: verify_rows(c, check))


@dataclass(frozen=True, slots=True)
class Signatures:
    """How checkpoints are checked."""

    verify_signature: VerifySignature
    trusted: set[str] | None
    installation: str

    def split(self, signed: Iterable[Checkpoint]) -> tuple[list[Checkpoint], list[Fault]]:
        """The good checkpoints, and a fault for each bad one."""
        good: list[Checkpoint] = []
        faults: list[Fault] = []
        for checkpoint in signed:
            wrong = self.wrong_with(checkpoint)
            if wrong:
                faults.append(Fault(checkpoint.stream, checkpoint.seq, FaultKind.BAD_CHECKPOINT, wrong))
            else:
                good.append(checkpoint)
        return good, faults

    def wrong_with(self, checkpoint: Checkpoint) -> str | None:
        """Why a checkpoint proves nothing; None when it does."""
        message = checkpoint.message.encode()
        try:
            said, installation = read_checkpoint(
                message, signature=checkpoint.signature, public_key=checkpoint.public_key
            )
            key = key_id(checkpoint.public_key)
        except ValueError as reason:
            return str(reason)
        if said != checkpoint or key != checkpoint.key_id:
            return "it is not what was signed"
        if installation != self.installation:
            return f"it belongs to installation {installation}"
        if self.trusted is not None and key not in self.trusted:
            return f"it was signed with the key {key}, which is not one of those that you trust"
        if not self.verify_signature(message, checkpoint.signature, checkpoint.public_key):
            return "its signature is not valid"
        return None


def verify_rows(connection: Transaction, check: Signatures) -> RecordReport:
    """Check the record in the database."""
    signed, faults = check.split(checkpoints.every(connection))
    counted = Counted()
    present = dict.fromkeys(log.streams(connection))
    entries = counted.through(entry for stream in present for entry in log.entries(connection, stream))
    expected = {stream: each for stream, each in expected_by_rows(connection).items() if stream in present}
    faults += verify(entries, expected=expected, checkpoints=signed)
    sealed = sealed_in(approvals.signed(connection), check.installation)
    faults += bad_approvals(sealed, check.verify_signature)
    return report(counted, signed, faults, approved=len(sealed))


def expected_by_rows(connection: Transaction) -> dict[str, Expected]:
    """What the rows of runs and pieces say about their streams."""
    of_runs = {run_stream(run): Expected(closed=True) for run in runs.settled_ids(connection)}
    ends = pieces.closing_hashes(connection)
    return of_runs | {piece_stream(piece): Expected(closed=True, closing_hash=end) for piece, end in ends.items()}


def report(counted: Counted, signed: Sequence[Checkpoint], faults: Sequence[Fault], *, approved: int) -> RecordReport:
    """The whole result."""
    until = max((each.seq for each in signed if each.stream == INSTALLATION), default=0)
    keys = tuple(sorted({each.key_id for each in signed}))
    return RecordReport(
        faults=tuple(faults),
        streams=len(counted.streams),
        entries=counted.entries,
        checkpoints=len(signed),
        keys=keys,
        signed_until=min(until, counted.last),
        last=counted.last,
        approvals=approved,
    )


def verify_copy(copy: Copy, check: Signatures) -> RecordReport:
    """Check an exported copy, without a database."""
    signed, bad = check.split(copy.checkpoints())
    counted = Counted()
    entries = counted.through(copy.entries())
    found = verify(entries, expected=copy.expected(), checkpoints=signed, partial=copy.manifest.partial)
    sealed = list(copy.approvals())
    bad += bad_approvals(sealed, check.verify_signature)
    return report(counted, signed, [*found, *bad, *copy.faults], approved=len(sealed))
