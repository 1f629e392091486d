"""Records the end of a piece: results, looks and what is left to say, and its closing hash in its run's stream, in one transaction."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from runner.domain.execution.look import HostLook, UnreadableLookError, read_look
from runner.domain.execution.outcome import HostResult
from runner.domain.execution.run import Stage
from runner.domain.record.record import closing_body, run_stream
from runner.operations.execution.execute_playbook import Claimed
from runner.operations.execution.heartbeat import LEASE
from runner.operations.execution.patience import patiently
from runner.operations.site import Site
from runner.store.execution import pieces
from runner.store.record import evidence, observations
from runner.store.record import log as entries
from runner.store.transaction import Transaction

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """What a piece came to: results per host, and what is known about how it ended."""

    results: Mapping[str, HostResult]
    problem: str | None = None
    unmatched: tuple[str, ...] = ()
    complete: bool = True
    how: str = "finished"
    gone: bool = True
    looks: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


def finish_piece(work: Claimed, found: Found, *, site: Site) -> None:
    """Record results, looks and the end of a piece; its closing hash becomes an entry of its run's stream."""
    if not found.gone:
        log.error(
            "Processes of piece %s are still there: %s", work.piece.id, found.note, extra={"action": "piece.not_gone"}
        )
        return  # the lease is left to lapse: the piece is not continued before its processes are proved gone
    record = partial(record_end, work=work, found=found, looks=readable(found.looks), at=site.clock())
    if not patiently(lambda: site.store.write(record), seconds=LEASE.total_seconds(), monotonic=site.monotonic):
        log.warning(
            "The end of piece %s came too late", work.piece.id, extra={"action": "piece.stale", "piece": work.piece.id}
        )


def readable(texts: Mapping[str, str]) -> dict[str, HostLook]:
    """The looks that came whole."""
    looks = {}
    for host, text in texts.items():
        with contextlib.suppress(UnreadableLookError):
            looks[host] = read_look(text)
    return looks


def record_end(
    connection: Transaction, *, work: Claimed, found: Found, looks: Mapping[str, HostLook], at: datetime
) -> bool:
    """Everything about the end of a piece in one transaction; False when its fence is stale."""
    finished = pieces.finish(
        connection,
        work.piece.id,
        fence=work.fence,
        results=found.results,
        problem=found.problem,
        unmatched=found.unmatched,
        complete=found.complete,
        at=at,
    )
    if finished:
        record_looks(connection, work, found, looks, at=at)
        close_stream(connection, work, found, at=at)
    return finished


def record_looks(
    connection: Transaction, work: Claimed, found: Found, looks: Mapping[str, HostLook], *, at: datetime
) -> None:
    """Keep what was seen on each host: the text as evidence, the facts as an observation."""
    kind = f"look:{'before' if work.piece.stage is Stage.PRE_CHECK else 'after'}"
    for host, seen in looks.items():
        text = found.looks[host]
        evidence.add_text(
            connection, run_id=work.run.id, piece_id=work.piece.id, host=host, kind=kind, text=text, at=at
        )
        observations.add(
            connection,
            inventory=work.run.plan.inventory,
            host=host,
            machine_id=seen.machine_id,
            kind="look",
            value=facts_of(seen),
            at=at,
        )


def facts_of(seen: HostLook) -> dict[str, object]:
    """What is worth keeping of a look beside its text: the list of packages stays in the evidence."""
    return {
        "system": seen.system,
        "kernel": seen.kernel,
        "boot_id": seen.boot_id,
        "reboot_required": seen.reboot_required,
        "reboot_packages": list(seen.reboot_packages),
        "packages": len(seen.packages),
        "held": list(seen.held),
        "broken": list(seen.broken),
        "free_bytes": dict(seen.free_bytes),
        "services": sorted(seen.services),
    }


def close_stream(connection: Transaction, work: Claimed, found: Found, *, at: datetime) -> None:
    """The piece's last entry, and its closing hash in the run's stream."""
    body = {
        "action": "piece.ended",
        "how": found.how,
        "complete": found.complete,
        "problem": found.problem or "",
        "note": found.note,
        "results": {host: str(result.result) for host, result in found.results.items()},
    }
    closing = entries.append(connection, work.stream, [body], at=at)
    pieces.set_closing_hash(connection, work.piece.id, closing.hash)
    entries.append(connection, run_stream(work.run.id), [closing_body("piece.closed", work.stream, closing)], at=at)
