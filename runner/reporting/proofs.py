"""Sections 7 and 11: who overruled a guard or paused maintenance, and everything that the report can be checked against."""

from __future__ import annotations

from runner.domain.execution.run import SlotOutcome
from runner.domain.record.record import piece_stream, run_stream
from runner.reporting.lines import CheckpointLine, EvidenceIndex, EvidenceLine, OverrideLine, PauseLine, StreamLine
from runner.reporting.material import Material, slot_reference
from runner.reporting.words import GUARDS
from runner.store.execution.pauses import KeptPause
from runner.store.record.period_rows import CheckpointRow, EvidenceRow, OverrideRow, StreamRow
from runner.store.time.slots import Slot


def override_lines(material: Material) -> tuple[OverrideLine, ...]:
    """Every override of the period, by time."""
    return tuple(override_line(row, material) for row in material.rows.overrides)


def override_line(row: OverrideRow, material: Material) -> OverrideLine:
    """One override: who let which work pass which guard, why, and until when."""
    return OverrideLine(
        id=row.id,
        at=material.moment(row.at),
        until=material.moment(row.expires_at),
        by=str(row.by),
        schedule=row.schedule,
        guards=tuple(GUARDS.get(guard, guard) for guard in row.guards),
        reason=row.reason,
        run=material.run_number(row.run_id),
        run_id=row.run_id,
    )


def pause_lines(material: Material) -> tuple[PauseLine, ...]:
    """Every pause that was in force in the period, by time, with the slots that ended as paused while it was."""
    return tuple(pause_line(pause, material) for pause in material.rows.pauses)


def pause_line(pause: KeptPause, material: Material) -> PauseLine:
    """One pause: who, of what, why, from when to when, and what it kept from starting."""
    over = pause.over_at if pause.over_at and pause.over_at <= material.heading.generated_at else None
    held = [slot for slot in material.rows.slots if slot.outcome == SlotOutcome.PAUSED and is_in_force(pause, slot)]
    return PauseLine(
        id=pause.id,
        since=material.moment(pause.from_at),
        until=material.maybe(pause.until_at),
        ended=material.maybe(over),
        by=str(pause.by),
        ended_by=str(pause.ended_by) if pause.ended_by else None,
        hosts=pause.hosts,
        reason=pause.reason,
        slots=tuple(map(slot_reference, held)),
    )


def is_in_force(pause: KeptPause, slot: Slot) -> bool:
    """Whether a pause was in force while a slot could have been started."""
    return pause.from_at < slot.last_start_at and (pause.over_at is None or pause.over_at > slot.opens_at)


def evidence_index(material: Material) -> EvidenceIndex:
    """Evidence with its digests, the streams of the log, and the signed checkpoints."""
    runs = runs_of_streams(material)
    streams = [row for row in material.rows.streams if row.stream in runs]
    return EvidenceIndex(
        evidence=tuple(evidence_line(row, material) for row in material.rows.evidence),
        streams=tuple(sorted((stream_line(row, runs[row.stream], material) for row in streams), key=by_run)),
        checkpoints=tuple(checkpoint_line(row, material) for row in material.rows.checkpoints),
    )


def by_run(line: StreamLine) -> tuple[int, bool, str]:
    """Run by run, the run's own stream before those of its pieces."""
    return line.run or 0, not line.stream.startswith(run_stream("")), line.stream


def runs_of_streams(material: Material) -> dict[str, str]:
    """To which run each stream of the log belongs."""
    of_pieces = {piece_stream(piece.id): piece.run_id for piece in material.rows.pieces}
    return of_pieces | {run_stream(run_id): run_id for run_id in material.runs}


def evidence_line(row: EvidenceRow, material: Material) -> EvidenceLine:
    """One piece of evidence."""
    run = material.run_number(row.run_id)
    return EvidenceLine(row.id, row.kind, run, row.host, row.media_type, row.size, row.digest, material.moment(row.at))


def stream_line(row: StreamRow, run_id: str, material: Material) -> StreamLine:
    """One stream of the log."""
    run = material.run_number(run_id)
    return StreamLine(row.stream, run, row.count, row.first_seq, row.last_seq, row.hash)


def checkpoint_line(row: CheckpointRow, material: Material) -> CheckpointLine:
    """One signed checkpoint."""
    return CheckpointLine(row.id, row.stream, row.seq, row.count, row.hash, material.moment(row.at), row.key_id)
