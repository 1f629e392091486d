"""What a reader should know first, in plain words, worst first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from runner.domain.execution.outcome import Result
from runner.domain.execution.run import SlotOutcome
from runner.domain.tickets.cause import package_in, words
from runner.reporting.hosts import cause_of
from runner.reporting.lines import Reference, Standing
from runner.reporting.material import Material, grouped, run_reference, slot_reference
from runner.reporting.permission import approved_by_requester, unreviewed
from runner.reporting.slots import outside_of_run, outside_of_slot
from runner.reporting.spoken import day_in_words
from runner.reporting.standings import Ended, ends_by_host
from runner.reporting.values import Finding
from runner.reporting.words import GUARDS, Tone, listed
from runner.store.time.slots import Slot

MOST = 5
BROKEN = {Result.FAILED, Result.IN_DOUBT}
SERIOUS = (Tone.BAD, Tone.UNKNOWN, Tone.PARTLY, Tone.NEUTRAL, Tone.GOOD)
LEFT_OUT = {
    SlotOutcome.FROZEN: "was left out because of a change freeze",
    SlotOutcome.PAUSED: "was left out because maintenance was paused",
    SlotOutcome.HELD: "was held back by a safety check",
    SlotOutcome.SKIPPED: "was left out because the run before was still going",
    SlotOutcome.WAIVED: "was waived beforehand by a person",
}


def findings(material: Material, standings: Sequence[Standing]) -> tuple[Finding, ...]:
    """The few things that matter most; one calm sentence when there is nothing to tell."""
    found = [
        *outside_window(material),
        *broken_hosts(material),
        *unreached_hosts(standings),
        *missed_slots(material),
        *untouched_hosts(standings),
        *incomplete_records(material),
        *overridden(material),
        *unreviewed(material),
        *approved_by_requester(material),
        *left_out(material),
    ]
    found.sort(key=lambda finding: SERIOUS.index(Tone(finding.tone)))
    return tuple(found[:MOST]) or (nothing_to_tell(material),)


def nothing_to_tell(material: Material) -> Finding:
    """The sentence for a period without trouble, or without work."""
    if not material.rows.slots and not material.rows.runs:
        return Finding(Tone.NEUTRAL, "No maintenance was planned in this period, and none was run.", ())
    return Finding(Tone.GOOD, "All maintenance of this period was done as planned.", ())


def outside_window(material: Material) -> Iterator[Finding]:
    """Work outside its window that nobody had allowed: this must not be."""
    for run in material.rows.runs:
        slot = material.slots.get(run.slot_id or "")
        strayed = outside_of_slot(slot, run) if slot else outside_of_run(run)
        if strayed and not run.override_id:
            text = f"{run.schedule} worked outside its maintenance window: it {strayed}."
            yield Finding(Tone.BAD, text, (run_reference(run),))


def broken_hosts(material: Material) -> Iterator[Finding]:
    """Hosts that failed or are in doubt, one finding per cause, and whether they are well again."""
    ends = ends_by_host(material)
    failed = [end for several in ends.values() for end in several if end.row.result in BROKEN]
    for (cause, own), group in grouped(((cause_of(end.row), end.row.own_words), end) for end in failed).items():
        hosts = tuple(dict.fromkeys(end.row.host for end in group))
        worst = group[0]
        service = material.plans[worst.run.id].services.get(worst.row.host, "")
        told = words(cause, host=listed(hosts), service=service, package=package_in(worst.row.text), own=own)
        well = all(is_well_since(end, ends[end.row.inventory, end.row.host]) for end in group)
        ending = "It has been put right since." if well else told.means
        references = tuple(dict.fromkeys(run_reference(end.run) for end in group))
        yield Finding(Tone.PARTLY if well else Tone.BAD, f"{told.happened} {ending}", references)


def is_well_since(failed: Ended, ends: Iterable[Ended]) -> bool:
    """Whether the same schedule ended well on that host later in the period."""
    later = [end for end in ends if end.run.schedule == failed.run.schedule and end.run.number > failed.run.number]
    return bool(later) and later[-1].row.result.is_good


def unreached_hosts(standings: Sequence[Standing]) -> Iterator[Finding]:
    """Hosts that never answered: their state is not known, so they count as not done."""
    hosts = [standing.host for standing in standings if standing.status.code == "not_reached"]
    if hosts:
        its, counts = ("Its", "it counts") if len(hosts) == 1 else ("Their", "they count")
        text = f"{listed(hosts)} did not answer in the whole period. {its} state is not known, so {counts} as not done."
        yield Finding(Tone.BAD, text, host_references(standings, "not_reached"))


def untouched_hosts(standings: Sequence[Standing]) -> Iterator[Finding]:
    """Hosts in scope on which no work was tried."""
    hosts = [standing.host for standing in standings if standing.status.code == "never_seen"]
    if hosts:
        belongs, counts = ("belongs", "It counts") if len(hosts) == 1 else ("belong", "They count")
        told = f"{listed(hosts)} {belongs} to the servers that are looked after, but no change was tried there."
        yield Finding(Tone.PARTLY, f"{told} {counts} as not done.", host_references(standings, "never_seen"))


def host_references(standings: Sequence[Standing], code: str) -> tuple[Reference, ...]:
    """The hosts that stand so."""
    found = (standing for standing in standings if standing.status.code == code)
    return tuple(Reference("host", f"{standing.inventory}/{standing.host}", standing.host) for standing in found)


def missed_slots(material: Material) -> Iterator[Finding]:
    """Planned work that was not done in time; a person's duty is never started, so that this is said of all."""
    for schedule, slots in slots_by_outcome(material, SlotOutcome.MISSED).items():
        days = listed([day_in_words(material.moment(slot.opens_at)) for slot in slots])
        text = f"{schedule} was not done in time on {days}{because(slots)}."
        yield Finding(Tone.BAD, text, tuple(map(slot_reference, slots)))


def left_out(material: Material) -> Iterator[Finding]:
    """Planned work that a rule or a person held back."""
    for outcome, told in LEFT_OUT.items():
        tone = Tone.PARTLY if outcome in {SlotOutcome.HELD, SlotOutcome.SKIPPED} else Tone.NEUTRAL
        for schedule, slots in slots_by_outcome(material, outcome).items():
            days = listed([day_in_words(material.moment(slot.opens_at)) for slot in slots])
            yield Finding(tone, f"{schedule} {told} on {days}{because(slots)}.", tuple(map(slot_reference, slots)))


def slots_by_outcome(material: Material, outcome: SlotOutcome) -> dict[str, tuple[Slot, ...]]:
    """The slots that ended so, by schedule."""
    return dict(grouped((slot.schedule, slot) for slot in material.rows.slots if slot.outcome == outcome))


def because(slots: Sequence[Slot]) -> str:
    """The reason, when all of them have the same."""
    reasons = {slot.reason.rstrip(".") for slot in slots}
    reason = reasons.pop() if len(reasons) == 1 else ""
    return f" ({reason})" if reason else ""


def incomplete_records(material: Material) -> Iterator[Finding]:
    """Runs of which something was not heard."""
    runs = [run for run in material.rows.runs if run.record_incomplete]
    if runs:
        names = listed([f"run {run.number}" for run in runs])
        text = (
            f"The record of {names} has gaps: something of what happened was not heard, so less is known than was done."
        )
        yield Finding(Tone.UNKNOWN, text, tuple(map(run_reference, runs)))


def overridden(material: Material) -> Iterator[Finding]:
    """People who let work pass a guard."""
    rows = material.rows.overrides
    if rows:
        told = "; ".join(f"{row.by} for {row.schedule}: {row.reason.rstrip('.')}" for row in rows[:MOST])
        guards = sorted({GUARDS.get(guard, guard) for row in rows for guard in row.guards})
        rule = listed(guards) or "a rule"
        text = f"The {rule} was overruled {'once' if len(rows) == 1 else f'{len(rows)} times'} ({told})."
        references = tuple(Reference("override", row.id, f"override by {row.by}") for row in rows)
        yield Finding(Tone.PARTLY, text, references)
