"""What is wrong with a record: bad entries, gaps, forks, truncation, and endings that nobody vouches for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from runner.domain.record.record import GENESIS, Checkpoint, Link, LogEntry, closing_in

MOST_FAULTS = 1000  # a file that is wrecked from end to end is told of in a bounded list


class FaultKind(StrEnum):
    """The ways in which a record can be wrong."""

    BAD_ENTRY = "bad entry"  # its content is not what was hashed
    GAP = "gap"  # entries are missing in between
    FORK = "fork"  # another history than the one that was kept, closed or signed
    TRUNCATED = "truncated"  # entries are missing at the end
    MISSING_CLOSING = "missing closing"  # it ended, and its parent does not say so
    BAD_CHECKPOINT = "bad checkpoint"
    BAD_APPROVAL = "bad approval"  # not what its approver signed
    BAD_FILE = "bad file"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where; `seq` is 0 for a stream (or file) as a whole."""

    stream: str
    seq: int
    kind: FaultKind
    text: str

    def __str__(self) -> str:
        place = f"{self.stream} entry {self.seq}" if self.seq else self.stream
        return f"{place}: {self.kind}: {self.text}"


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of a stream from outside of it.

    It begins at `first`. `last` is where it ends, if known; `closing_hash` is the hash that it was closed with, if known. `closed` demands that its parent
    says so.
    """

    first: int = 1
    last: Link | None = None
    closing_hash: str | None = None
    closed: bool = False


def verify(
    entries: Iterable[LogEntry],
    *,
    expected: Mapping[str, Expected],
    checkpoints: Sequence[Checkpoint] = (),
    partial: bool = False,
) -> list[Fault]:
    """Every fault of a record, in the order in which it is met; an empty list means that the record is whole.

    `entries` come stream by stream, each in order, and are held one at a time. `checkpoints` have valid signatures. In a `partial` record only the streams in
    `expected` must be there; else also each that an entry or a checkpoint speaks of.
    """
    walk = _Walk(expected, _signed_places(checkpoints))
    for entry in entries:
        walk.meet(entry)
    for stream, known in expected.items():
        walk.check_end(stream, known)
    for stream, end in walk.closings.items():
        walk.check_closing(stream, end, partial=partial)
    for checkpoint in checkpoints:
        walk.check_signed(checkpoint, partial=partial)
    return walk.faults


def _signed_places(checkpoints: Sequence[Checkpoint]) -> dict[str, set[int]]:
    places: dict[str, set[int]] = {}
    for checkpoint in checkpoints:
        places.setdefault(checkpoint.stream, set()).add(checkpoint.seq)
    return places


@dataclass(slots=True)
class _Walk:
    """A walk along all streams, remembering the end of each, and the places that matter later."""

    expected: Mapping[str, Expected]
    signed: Mapping[str, set[int]]
    faults: list[Fault] = field(default_factory=list)
    ends: dict[str, Link] = field(default_factory=dict)
    hashes: dict[tuple[str, int], str] = field(default_factory=dict)
    closings: dict[str, Link] = field(default_factory=dict)

    def meet(self, entry: LogEntry) -> None:
        """Check one entry against itself and the one before."""
        if not entry.is_sound:
            self.find(entry.stream, entry.seq, FaultKind.BAD_ENTRY, "its content is not what was hashed")
        elif (before := self.ends.get(entry.stream)) is None:
            self._begin(entry)
        else:
            self._continue(entry, before)
        if entry.seq > self.ends.get(entry.stream, Link()).seq:
            self.ends[entry.stream] = Link(entry.seq, entry.hash)
        if entry.seq in self.signed.get(entry.stream, ()):
            self.hashes[entry.stream, entry.seq] = entry.hash
        if (closing := closing_in(entry)) is not None:
            self._hear_of_end(entry, *closing)

    def _begin(self, entry: LogEntry) -> None:
        first = self.expected.get(entry.stream, Expected()).first
        if entry.seq != first:
            self.find(entry.stream, entry.seq, FaultKind.GAP, f"it should begin with entry {first}")
        elif entry.seq == 1 and entry.prev != GENESIS:
            self.find(entry.stream, entry.seq, FaultKind.FORK, "it is the first one, but says that another came before")

    def _continue(self, entry: LogEntry, before: Link) -> None:
        if entry.seq <= before.seq:
            self.find(
                entry.stream, entry.seq, FaultKind.FORK, f"it comes after entry {before.seq}: a number is there twice"
            )
        elif entry.seq > before.seq + 1:
            missing = f"entries {before.seq + 1} to {entry.seq - 1} are missing"
            self.find(entry.stream, entry.seq, FaultKind.GAP, missing)
        elif entry.prev != before.hash:
            self.find(entry.stream, entry.seq, FaultKind.FORK, f"it does not continue entry {before.seq}")

    def _hear_of_end(self, entry: LogEntry, stream: str, end: Link) -> None:
        heard = self.closings.setdefault(stream, end)
        if heard != end:
            self.find(entry.stream, entry.seq, FaultKind.FORK, f"it closes {stream} a second time, at another place")

    def check_end(self, stream: str, known: Expected) -> None:
        """Check where a stream ends against what is known from outside."""
        end = self.ends.get(stream, Link(known.first - 1))
        if known.last is not None:
            self._compare(stream, end, known.last, "its end should be")
        closing = self.closings.get(stream)
        if known.closed and closing is None:
            self.find(
                stream, 0, FaultKind.MISSING_CLOSING, "it has ended, and no entry of its parent says with which hash"
            )
        elif closing is not None and known.closing_hash not in {None, closing.hash}:
            self.find(stream, closing.seq, FaultKind.FORK, "its row and its parent name different last hashes")

    def check_closing(self, stream: str, end: Link, *, partial: bool) -> None:
        """Check where a stream ends against the entry that closed it."""
        if stream in self.ends or not partial or stream in self.expected:
            self._compare(stream, self.ends.get(stream, Link()), end, "it was closed at")

    def check_signed(self, checkpoint: Checkpoint, *, partial: bool) -> None:
        """Check a stream against a place of it that was signed."""
        stream, seq = checkpoint.stream, checkpoint.seq
        end = self.ends.get(stream)
        if end is None and partial and stream not in self.expected:
            return
        if end is None or seq > end.seq:
            ended = end.seq if end else 0
            self.find(
                stream,
                ended,
                FaultKind.TRUNCATED,
                f"a signed checkpoint of {checkpoint.at:%Y-%m-%d %H:%M:%S} UTC has entry {seq}",
            )
        elif self.hashes.get((stream, seq), checkpoint.hash) != checkpoint.hash:
            self.find(stream, seq, FaultKind.FORK, "it is not the entry that was signed")

    def _compare(self, stream: str, end: Link, wanted: Link, what: str) -> None:
        if end.seq < wanted.seq:
            self.find(stream, end.seq, FaultKind.TRUNCATED, f"{what} entry {wanted.seq}")
        elif end.seq > wanted.seq:
            self.find(stream, wanted.seq + 1, FaultKind.FORK, f"{what} entry {wanted.seq}, and it goes on")
        elif end.hash != wanted.hash and end.seq:
            self.find(stream, end.seq, FaultKind.FORK, f"{what} this entry with another hash")

    def find(self, stream: str, seq: int, kind: FaultKind, text: str) -> None:
        """Keep a fault, unless there are too many already."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(stream, seq, kind, text))
