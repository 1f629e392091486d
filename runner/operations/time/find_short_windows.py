"""Windows that are shorter than past runs: told before hosts are left over for lack of time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from runner.domain.settings import Definitions
from runner.domain.time.duration import describe
from runner.errors import Problem
from runner.operations.time.keep_ledger import has_slots
from runner.operations.time.list_openings import CUT_SHORT, PLANNED, Entry
from runner.store.database import Store
from runner.store.execution import lengths
from runner.store.execution.outcomes import percentile

LOOKED_BACK = timedelta(days=400)
RUNS_LOOKED_AT = 20  # of each schedule, the latest
FEWEST = 3  # fewer runs tell nothing
A_TENTH = 10  # of fewer runs, nine in ten are all of them
AHEAD = frozenset({PLANNED, CUT_SHORT})


@dataclass(frozen=True, slots=True)
class PastRuns:
    """What a schedule's last runs needed, nine in ten of them: `took` to their end, and `last_batch_after` to the beginning of their last batch."""

    number: int
    took: timedelta
    last_batch_after: timedelta

    def too_long_for(self, usable: timedelta, before_last_start: timedelta) -> str:
        """What is too short for such a run, in words: the usable part, or that part of it in which a batch may begin; nothing when it fits."""
        runs = f"the last {self.number} runs" if self.number < A_TENTH else f"9 in 10 of the last {self.number} runs"
        if self.took > usable:
            return f"it has {describe(usable)}, and {runs} took up to {describe(self.took)}"
        if self.last_batch_after > before_last_start:
            began = describe(self.last_batch_after)
            return f"its last start comes after {describe(before_last_start)}, and {runs} began their last batch after up to {began}"
        return ""


def read_past_runs(store: Store, *, now: datetime) -> Mapping[str, PastRuns]:
    """What the last runs of each schedule needed; one with too few runs is left out."""
    several: dict[str, list[lengths.Length]] = {}
    for length in store.read(lambda c: lengths.since(c, now - LOOKED_BACK)):
        several.setdefault(length.schedule, []).append(length)
    latest = {schedule: found[:RUNS_LOOKED_AT] for schedule, found in several.items() if len(found) >= FEWEST}
    return {schedule: past_runs(found) for schedule, found in latest.items()}


def past_runs(found: Sequence[lengths.Length]) -> PastRuns:
    """Several runs in short."""
    took, last = ([getattr(each, key) for each in found] for key in ("took", "last_batch_after"))
    return PastRuns(len(found), percentile(took), percentile(last))


def with_short_openings(entries: Sequence[Entry], past: Mapping[str, PastRuns]) -> list[Entry]:
    """The same lines, with a note on each opening ahead that is too short for a run such as the last ones."""
    return [noted(entry, past.get(entry.schedule)) for entry in entries]


def noted(entry: Entry, past: PastRuns | None) -> Entry:
    """An opening, with a note if it is too short."""
    opening = entry.opening
    if past is None or entry.state not in AHEAD:
        return entry
    usable, before = opening.usable_until - opening.usable_from, opening.last_start - opening.usable_from
    says = past.too_long_for(usable, before)
    return replace(entry, opening=replace(opening, notes=(*opening.notes, f"too short: {says}"))) if says else entry


def short_windows(definitions: Definitions, past: Mapping[str, PastRuns]) -> Iterator[Problem]:
    """A warning for each schedule whose window is too short by its rule, before any freeze."""
    for schedule in definitions.with_playbooks.values():
        if has_slots(schedule) and schedule.name in past:
            window = schedule.window
            if says := past[schedule.name].too_long_for(window.length, window.length - window.cutoff):
                file, _, line = schedule.source.partition(":")
                message = (
                    f"window: it is too short for {schedule.name}: {says}. Make it longer, or do fewer hosts in it."
                )
                yield Problem(file, int(line) if line.isdigit() else 0, 1, message, severity="warning")
