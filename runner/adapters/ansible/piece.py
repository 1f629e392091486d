"""One call of Ansible, going on below its leash, as its owner sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.adapters.ansible.events import event_of
from runner.adapters.ansible.feeder import LeashLine
from runner.adapters.ansible.processes import Swept
from runner.adapters.ansible.spool import SpoolReader
from runner.domain.execution.outcome import Event, EventKind
from runner.domain.execution.under_way import UnderWay
from runner.ports import PieceEnd

AT_ONCE = 300
PAUSE = 0.25  # seconds between two looks at the spool: what came meanwhile is recorded together


@dataclass(slots=True)
class Story:
    """What the events themselves have told about the end."""

    stats: bool = False
    end: bool = False
    status: str = ""
    gaps: str = ""


class LeashedPiece:
    """A `RunningPiece`; feeding may come from another thread than listening."""

    def __init__(
        self,
        *,
        line: LeashLine,
        spool: Path,
        stop: Path,
        time_limit: float | None,
        monotonic: Callable[[], float],
        note: Path | None = None,
    ) -> None:
        """Follow the spool of a piece that was just started; `time_limit` in seconds from now; `note` tells of its container until that is gone.

        A restart or a package manager that is under way then is let finish, and nothing is started after it; but not for longer than the limit once more.
        """
        self._line, self._heard, self._stop, self._monotonic = line, line.heard, stop, monotonic
        self._container_note = note
        self._reader: SpoolReader | None = SpoolReader(spool)
        self._until = None if time_limit is None else monotonic() + time_limit
        self._grace = time_limit or 0.0
        self._under_way, self._late = UnderWay(), False
        self._story = Story()
        self._ended_by = ""
        self._end: PieceEnd | None = None

    @property
    def leash_pid(self) -> int:
        """The process id of the leash that this piece hangs on."""
        return self._line.pid

    def events(self, *, wait: float) -> Sequence[Event]:
        """Events that came since the last call, at most a few hundred; waits up to `wait` seconds for the first one."""
        until = self._monotonic() + wait
        while True:
            self._keep_time()
            self._line.listen(0)
            is_over = self._heard.swept is not None or self._line.is_over
            found = self._read()
            remaining = until - self._monotonic()
            if found or is_over or remaining <= 0:
                if is_over and not found:
                    self._conclude()
                return found
            self._line.listen(min(PAUSE, remaining))

    def _read(self) -> Sequence[Event]:
        lines = self._reader.read(AT_ONCE) if self._reader else ()
        events = [event_of(line) for line in lines]
        for event in events:
            self._under_way.take(event)
            self._story.stats |= event.kind is EventKind.STATS
            if event.kind is EventKind.END:
                self._story.end, self._story.status, self._story.gaps = True, event.status, event.text
        return events

    def feed(self, seconds: float) -> None:
        """Tell the leash that its owner is alive for that many more seconds; it may be fed on between two pieces, to keep ssh masters."""
        self._keep_time()
        self._line.feed(seconds)

    def stop_softly(self) -> None:
        """Start no further task; what is running goes on to its end."""
        self._stop.touch(mode=0o600)

    def cancel(self) -> None:
        """End everything of this piece on this machine now: TERM, then KILL."""
        self._end_by("cancelled")

    def _keep_time(self) -> None:
        if self._until is None or (late := self._monotonic() - self._until) < 0:
            return
        if self._under_way.is_delicate and late < self._grace:
            self._late = True
            self.stop_softly()
        else:
            self._end_by("timed_out")

    def _end_by(self, how: str) -> None:
        if not self._ended_by and self._heard.swept is None and self._line.heard is self._heard:
            self._ended_by = how
            self._line.end()

    def end(self) -> PieceEnd | None:
        """How it ended, once all events were handed out; None while it goes on."""
        if self._end is None:
            self._keep_time()
            self._line.listen(0)
        return self._end

    def _conclude(self) -> None:
        if self._end is not None or self._reader is None:
            return
        swept = self._heard.swept
        gone = swept is not None and not swept.left and not swept.working
        complete = self._story.stats and self._story.end and not self._story.gaps and not self._reader.damage
        self._end = PieceEnd(how=self._how(), gone=gone, complete=complete, note=self._note())
        self._reader.close()
        self._reader = None
        if gone and self._container_note:
            self._container_note.unlink(missing_ok=True)

    def _how(self) -> str:
        if self._story.stats and self._story.end:
            return "timed_out" if self._late else "finished"
        if self._ended_by:
            return self._ended_by
        by_itself = self._story.end and self._story.status != "canceled" and self._heard.why == "piece over"
        return "finished" if by_itself else "lost"

    def _note(self) -> str:
        reader, swept = self._reader, self._heard.swept
        why = "" if self._heard.why in ("", "piece over") else f"the leash ended it: {self._heard.why}"
        told = [self._heard.lost or why, self._heard.problem, self._story.gaps, reader.damage if reader else ""]
        if reader and reader.torn:
            told.append(f"the last line of the record was torn ({reader.torn} bytes)")
        if not self._story.end and self._heard.exited and not self._ended_by:
            told.append(f"the executor ended with {self._heard.exit_code}")
        if swept:
            told += [f"{label}: {listed(found)}" for label, found in sections(swept) if found]
        return "; ".join(filter(None, told))


def sections(swept: Swept) -> list[tuple[str, list[tuple[int, str]]]]:
    """What a sweep did not end, by reason, in words."""
    return [
        ("could not be ended", swept.left),
        ("a package manager is still at work", swept.working),
        ("started by the playbook and left running", swept.spared),
    ]


def listed(found: Sequence[tuple[int, str]]) -> str:
    """Processes for people."""
    return ", ".join(f"{title} (pid {pid})" for pid, title in found)
