"""How each planned host of a run ended, and how long hosts take."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, Text, select, type_coerce

from runner.domain.execution.outcome import HostResult, Result
from runner.domain.execution.run import PieceState, Stage, Trigger
from runner.domain.record.record import canonical
from runner.store.execution import results
from runner.store.schema import host_outcomes, piece_results, pieces, runs
from runner.store.sql import chunks, put

RUNS_LOOKED_AT = 20
SHARE = 0.9
GOOD = [result for result in Result if result.is_good]


@dataclass(frozen=True, slots=True)
class HostOutcome:
    """How one planned host ended in a run; `packages` and `reboot` tell what was found by comparing it before and after.

    `attempts` is how often the playbook was started there (None where nobody counted), `rollback` how its rollback ended (`result`, `cause` and `text`),
    None where there was none.
    """

    run_id: str
    inventory: str
    schedule: str
    result: HostResult
    piece_id: str | None
    packages: Sequence[Mapping[str, Any]]
    reboot: Mapping[str, Any] | None
    machine_id: str | None
    attempts: int | None = None
    rollback: Mapping[str, Any] | None = None

    @property
    def host(self) -> str:
        """The host's name."""
        return self.result.host


def save(
    connection: Connection,
    run_id: str,
    *,
    inventory: str,
    schedule: str,
    outcomes: Mapping[str, HostResult],
    packages: Mapping[str, Sequence[Mapping[str, object]]] | None = None,
    reboots: Mapping[str, Mapping[str, object]] | None = None,
    machine_ids: Mapping[str, str | None] | None = None,
    pieces: Mapping[str, str] | None = None,
    attempts: Mapping[str, int] | None = None,
    rollbacks: Mapping[str, Mapping[str, object]] | None = None,
) -> None:
    """Write a run's outcome for each of these hosts; what was written before for the same host is replaced."""
    rows = [
        {
            **results.to_row(result),
            "run_id": run_id,
            "inventory": inventory,
            "host": host,
            "schedule": schedule,
            "piece_id": (pieces or {}).get(host),
            "packages": list((packages or {}).get(host, ())),
            "reboot": (reboots or {}).get(host),
            "machine_id": (machine_ids or {}).get(host) or None,
            "attempts": (attempts or {}).get(host),
            "rollback": (rollbacks or {}).get(host),
        }
        for host, result in outcomes.items()
    ]
    put(connection, host_outcomes, rows)


def of_run(connection: Connection, run_id: str) -> list[HostOutcome]:
    """Every outcome of a run, by host."""
    return _read(
        connection, select(*host_outcomes.c).where(host_outcomes.c.run_id == run_id).order_by(host_outcomes.c.host)
    )


def last_of_host(connection: Connection, inventory: str, host: str, limit: int = 10) -> list[HostOutcome]:
    """A host's latest outcomes, newest first."""
    of_host = select(*host_outcomes.c).where(host_outcomes.c.inventory == inventory, host_outcomes.c.host == host)
    return _read(connection, of_host.order_by(host_outcomes.c.run_id.desc()).limit(limit))


def between(connection: Connection, from_: datetime, to: datetime) -> list[HostOutcome]:
    """The outcomes of the runs created in [from_, to), run by run."""
    wanted = select(*host_outcomes.c).join(runs, runs.c.id == host_outcomes.c.run_id)
    wanted = wanted.where(runs.c.created_at >= from_, runs.c.created_at < to)
    return _read(connection, wanted.order_by(runs.c.number, host_outcomes.c.host))


def _read(connection: Connection, wanted: Select[Any]) -> list[HostOutcome]:
    return [
        HostOutcome(
            run_id=row["run_id"],
            inventory=row["inventory"],
            schedule=row["schedule"],
            result=results.from_row(row),
            piece_id=row["piece_id"],
            packages=row["packages"],
            reboot=row["reboot"],
            machine_id=row["machine_id"],
            attempts=row["attempts"],
            rollback=row["rollback"],
        )
        for row in connection.execute(wanted).mappings()
    ]


def durations(
    connection: Connection, schedule: str, inventory: str, hosts: Collection[str], *, playbook: str
) -> dict[str, timedelta]:
    """How long each host takes from its pre-check to its post-check, retries included: p90 of the latest runs of the schedule in which it ended well.

    A host without such a past is left out. Runs of another playbook, and runs that only looked, do not count.
    """
    same = f'"playbook":{canonical(playbook).decode()}'  # plans are kept as canonical JSON
    latest = select(runs.c.id).where(
        runs.c.schedule == schedule,
        runs.c.check_mode.is_(False),
        runs.c.trigger != Trigger.READINESS,
        type_coerce(runs.c.plan, Text).contains(same, autoescape=True),
    )
    latest_ids = list(connection.execute(latest.order_by(runs.c.number.desc()).limit(RUNS_LOOKED_AT)).scalars())
    taken: dict[str, list[timedelta]] = {}
    for some in chunks(sorted(hosts)):
        for host, seconds in _taken(connection, latest_ids, inventory, some):
            taken.setdefault(host, []).append(seconds)
    return {host: percentile(spans) for host, spans in taken.items()}


def _taken(
    connection: Connection, run_ids: Sequence[str], inventory: str, hosts: Sequence[str]
) -> Iterable[tuple[str, timedelta]]:
    wanted = (
        select(pieces.c.run_id, piece_results.c.host, piece_results.c.started_at, piece_results.c.ended_at)
        .join(piece_results, piece_results.c.piece_id == pieces.c.id)
        .join(
            host_outcomes, (host_outcomes.c.run_id == pieces.c.run_id) & (host_outcomes.c.host == piece_results.c.host)
        )
        .where(
            pieces.c.run_id.in_(run_ids),
            pieces.c.state == PieceState.FINISHED,
            pieces.c.stage != Stage.ROLLBACK,
            piece_results.c.host.in_(hosts),
            host_outcomes.c.inventory == inventory,
            host_outcomes.c.result.in_(GOOD),
        )
    )
    spans: dict[tuple[str, str], timedelta] = {}
    for row in connection.execute(wanted):
        if row.started_at and row.ended_at:
            spent = max(row.ended_at - row.started_at, timedelta(0))
            spans[row.host, row.run_id] = spans.get((row.host, row.run_id), timedelta(0)) + spent
    return [(host, spent) for (host, _run), spent in spans.items()]


def percentile(spans: Sequence[timedelta], share: float = SHARE) -> timedelta:
    """The smallest span that is not exceeded by `share` of them (nearest rank)."""
    return sorted(spans)[max(0, math.ceil(share * len(spans)) - 1)]
