"""Section 12, and what the cover says of completeness: everything that the report cannot say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runner.domain.execution.outcome import Result
from runner.domain.execution.run import RunState, SlotState
from runner.domain.record.record import GENESIS, piece_stream
from runner.domain.time.period import in_words
from runner.reporting.hosts import packages_of
from runner.reporting.lines import Reference, Standing
from runner.reporting.material import Material, run_reference, slot_reference
from runner.reporting.values import Completeness, Limitation, MissingSection
from runner.reporting.words import listed, number
from runner.store.execution.runs import Run

LATER_SECTIONS = (
    MissingSection(6, "Patch compliance by age and severity"),
    MissingSection(8, "Access and configuration changes"),
    MissingSection(9, "Trends"),
    MissingSection(10, "Control mapping"),
)


def completeness(material: Material) -> Completeness:
    """Whether the record of the period is whole: it is over, every slot has an outcome, every run has ended and was heard to its end."""
    rows = material.rows
    unsettled = sum(slot.state is not SlotState.SETTLED for slot in rows.slots)
    running = sum(run.state is RunState.RUNNING for run in rows.runs)
    gaps = sum(run.record_incomplete for run in rows.runs)
    sentences = (
        slots_sentence(len(rows.slots), unsettled),
        runs_sentence(len(rows.runs), running, gaps),
        *(limit.text for limit in contradictions(material)),
        *(() if is_over(material) else ("The period is not over yet; later work is missing.",)),
    )
    whole = is_over(material) and not (unsettled or running or gaps or any(contradictions(material)))
    return Completeness(whole, sentences)


def is_over(material: Material) -> bool:
    """Whether the period had ended when the report was written."""
    return material.heading.generated_at >= material.period.ends


def slots_sentence(planned: int, unsettled: int) -> str:
    """What is known of the planned occurrences."""
    if not planned:
        return "No maintenance was planned in this period."
    if not unsettled:
        return f"Each of the {number(planned, 'planned slot')} has exactly one outcome."
    return f"{unsettled} of {number(planned, 'planned slot')} {'has' if unsettled == 1 else 'have'} no outcome yet."


def runs_sentence(runs: int, running: int, gaps: int) -> str:
    """What is known of the runs."""
    if not runs:
        return "There was no run."
    if not running and not gaps:
        return f"The record of each of the {number(runs, 'run')} is whole."
    said = [f"{number(gaps, 'record')} of {number(runs, 'run')} {'has' if gaps == 1 else 'have'} gaps"] if gaps else []
    said += [f"{number(running, 'run')} {'is' if running == 1 else 'are'} still going on"] if running else []
    return f"{'; '.join(said)}."


def contradictions(material: Material) -> Iterator[Limitation]:
    """Rows that do not agree with each other, which must never be: hosts without an outcome, and logs that do not end as they were closed."""
    settled = [run for run in material.rows.runs if run.state is RunState.SETTLED]
    without = [run for run in settled if outcomes_missing(run, material)]
    if without:
        names = listed([f"run {run.number}" for run in without])
        yield Limitation(f"Planned hosts of {names} have no outcome.", tuple(map(run_reference, without)))
    ends = {row.stream: row.hash for row in material.rows.streams}
    torn = {
        piece.run_id
        for piece in material.rows.pieces
        if piece.closing_hash and ends.get(piece_stream(piece.id)) != piece.closing_hash
    }
    if torn:
        yield in_runs(
            material, torn, f"The log of {number(len(torn), 'run')} does not end with the hash that it was closed with."
        )


def outcomes_missing(run: Run, material: Material) -> bool:
    """Whether a host that the run planned, and that is in scope, has no outcome in it."""
    planned = {(run.inventory, host) for host in material.plans[run.id].hosts}
    if material.scope.hosts is not None:
        planned &= material.scope.hosts
    return not planned <= {(row.inventory, row.host) for row in material.outcomes.get(run.id, ())}


def limitations(material: Material, standings: Sequence[Standing]) -> tuple[Limitation, ...]:
    """Everything that a reader must not take for granted."""
    return (
        *of_the_record(material),
        *of_the_hosts(material, standings),
        *of_the_method(material),
        Limitation(
            f"Not part of this report yet: {listed([f'section {part.number} ({part.title})' for part in LATER_SECTIONS])}."
        ),
    )


def of_the_record(material: Material) -> Iterator[Limitation]:
    """Gaps in what was recorded."""
    rows = material.rows
    if not is_over(material):
        yield Limitation(f"The period ({in_words(material.period, material.zone)}) was not over when this was written.")
    if open_slots := [slot for slot in rows.slots if slot.state is not SlotState.SETTLED]:
        text = f"{number(len(open_slots), 'slot')} had no outcome when this was written."
        yield Limitation(text, tuple(map(slot_reference, open_slots)))
    if running := [run for run in rows.runs if run.state is RunState.RUNNING]:
        yield Limitation(f"{number(len(running), 'run')} had not ended.", tuple(map(run_reference, running)))
    if gaps := [run for run in rows.runs if run.record_incomplete]:
        text = (
            f"The record of {number(len(gaps), 'run')} has gaps: events are missing, and less is known than was done."
        )
        yield Limitation(text, tuple(map(run_reference, gaps)))
    yield from contradictions(material)
    if rows.cut.head.hash == GENESIS:
        yield Limitation(
            "The installation's log has no entry yet, so nothing of this report is covered by the log's chain."
        )
    if rows.runs and not rows.checkpoints:
        yield Limitation(
            "No signed checkpoint was made in the period; the log's chain alone does not show a rewriting of all of it."
        )


def of_the_hosts(material: Material, standings: Sequence[Standing]) -> Iterator[Limitation]:
    """Hosts of which nothing, or not everything, is known."""
    for code, text in (("not_reached", "never answered in the period"), ("never_seen", "had no work tried on them")):
        hosts = [standing for standing in standings if standing.status.code == code]
        if hosts:
            references = tuple(Reference("host", f"{found.inventory}/{found.host}", found.host) for found in hosts)
            yield Limitation(f"{number(len(hosts), 'host')} {text}; counted as not done.", references)
    doubtful = [row for row in material.rows.outcomes if row.result is Result.IN_DOUBT]
    if doubtful:
        yield in_runs(
            material,
            {row.run_id for row in doubtful},
            f"{number(len(doubtful), 'host outcome')} could not be determined (in doubt).",
        )
    blind = [row for row in material.rows.outcomes if row.touched and packages_of(row) is None]
    if blind:
        text = f"{number(len(blind), 'host outcome')} could not be compared before and after, so packages and restarts are not known there."
        yield in_runs(material, {row.run_id for row in blind}, text)


def in_runs(material: Material, run_ids: set[str], text: str) -> Limitation:
    """A limitation that rests on these runs."""
    return Limitation(text, tuple(run_reference(run) for run in material.rows.runs if run.id in run_ids))


def of_the_method(material: Material) -> Iterator[Limitation]:
    """How scope and state were determined."""
    seen = ", ".join(
        f"{row.inventory} (last good answer {row.at:%Y-%m-%d %H:%M} UTC)" for row in material.rows.inventories
    )
    yield Limitation(
        f"Hosts in scope are those of the inventories as last seen{f', {seen},' if seen else ''} and all that a run of the period planned, "
        "less those that a person had retired by the period's end. A host that no inventory and no run ever named is not known here."
    )
    yield Limitation(
        "“Done as planned” means that the last run of each schedule that changes something ended well on the host. "
        "It does not mean that no update is pending."
    )
    yield Limitation(
        "Tickets and overrides are shown as they stood when this was written, not as they stood at the end of the period."
    )
    if material.scope.hosts is not None and any(slot.hosts is None for slot in material.rows.slots):
        yield Limitation("Slots whose hosts were never resolved are shown although they may lie outside the scope.")
