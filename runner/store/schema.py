"""Every table of the database. The migrations make the same tables step by step, and a test compares the two."""

from __future__ import annotations

from runner.store.tables.execution import host_locks, host_outcomes, piece_results, pieces, runs
from runner.store.tables.guards import approvals, drains, holds, overrides, pauses
from runner.store.tables.hosts import debts, health_states, inventories_seen, observations, retired_hosts
from runner.store.tables.installation import counters, daemons, definitions, installation, snapshots
from runner.store.tables.parts import metadata
from runner.store.tables.record import checkpoints, evidence, log_entries
from runner.store.tables.tickets import LetterState, outbox, ticket_events, tickets
from runner.store.tables.time import cadence, last_intervals, slots

__all__ = [
    "LetterState",
    "approvals",
    "cadence",
    "checkpoints",
    "counters",
    "daemons",
    "debts",
    "definitions",
    "drains",
    "evidence",
    "health_states",
    "holds",
    "host_locks",
    "host_outcomes",
    "installation",
    "inventories_seen",
    "last_intervals",
    "log_entries",
    "metadata",
    "observations",
    "outbox",
    "overrides",
    "pauses",
    "piece_results",
    "pieces",
    "retired_hosts",
    "runs",
    "slots",
    "snapshots",
    "ticket_events",
    "tickets",
]
