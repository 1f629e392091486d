"""What becomes of hosts that failed: which are tried again and when, and which are rolled back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from runner.domain.execution.outcome import HostResult
from runner.domain.execution.plan import RunPlan
from runner.domain.execution.progress import ROLLED_BACK, Batch, Track, last_tracks
from runner.domain.execution.run import RunRecord
from runner.domain.execution.waves import fits


def due_at(failed: datetime, plan: RunPlan) -> datetime:
    """When a host that failed then is tried again."""
    return failed + plan.retry_after


def awaits_retry(track: Track, record: RunRecord) -> bool:
    """Whether a host that failed for a transient cause gets another attempt; none would start at or after the last start, or without room before the end.

    Until then its failure spends nothing, and it holds its place. What has had a post-check is not tried again.
    """
    plan = record.plan
    if track.failed_at is None or track.failures > plan.retries or track.host in record.paused:
        return False
    if track.post or track.post_failure or track.in_doubt:
        return False
    due = due_at(track.failed_at, plan)
    in_time = plan.last_start is None or due < plan.last_start
    return in_time and fits(track.host, record, now=due)


def attempts_of(batches: Sequence[Batch]) -> dict[str, int]:
    """How often the playbook was started on each host."""
    return {host: track.attempts for host, track in last_tracks(batches).items()}


def rollbacks_of(batches: Sequence[Batch]) -> dict[str, HostResult]:
    """How the rollback of each host ended that got one."""
    return {host: track.rolled_back for host, track in last_tracks(batches).items() if track.rolled_back}


def is_rolled_back(track: Track) -> bool:
    """Whether every step of the rollback is behind this host."""
    return track.back >= ROLLED_BACK
