"""Verifies a restart: who came back with everything that ran before, and who did not."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

from runner.domain.execution.look import HostLook, UnreadableLookError, not_running_again, read_look
from runner.domain.execution.outcome import HostResult, Result
from runner.domain.execution.progress import MAX_ATTEMPTS
from runner.domain.execution.verdict import RESTARTED
from runner.domain.tickets.cause_rules import CauseClass
from runner.operations.execution.execute_playbook import Claimed
from runner.operations.site import Site
from runner.store.record import evidence

BEFORE = "look:before"
STILL_STARTING = timedelta(minutes=5)  # after a restart: what does not run yet may be about to


def verified(
    results: Mapping[str, HostResult], looks: Mapping[str, str], work: Claimed, *, site: Site
) -> dict[str, HostResult]:
    """The results of a look after the playbook, with what a restart did to each host; one that is still starting up is left out, and so looked at again."""
    told = {host: judged(result, looks.get(host, ""), work, site=site) for host, result in results.items()}
    return {host: result for host, result in told.items() if result is not None}


def judged(result: HostResult, text: str, work: Claimed, *, site: Site) -> HostResult | None:
    """One host after the playbook; None while its services may still be starting and there is another look to come."""
    if result.result is Result.UNREACHABLE:
        return lost(result) if work.run.plan.reboots else result
    before, after = seen_before(work, result.host, site=site), whole(text)
    if not result.result.is_good or before is None or after is None:
        return result
    missing = not_running_again(before, after)
    if not missing:
        return result
    if after.uptime < STILL_STARTING.total_seconds() and work.piece.attempt < MAX_ATTEMPTS:
        return None
    why = f"These services ran before the restart and do not run after it: {', '.join(missing)}"
    cause = str(CauseClass.SERVICE_DID_NOT_START)
    return replace(result, result=Result.FAILED, cause=cause, text=why, signature=why, task=RESTARTED)


def lost(result: HostResult) -> HostResult:
    """A host that cannot be reached after a playbook that restarts hosts; a refused login or another host key is a cause of its own."""
    if result.cause != CauseClass.UNREACHABLE:
        return result
    return replace(result, cause=str(CauseClass.LOST_AFTER_REBOOT))


def seen_before(work: Claimed, host: str, *, site: Site) -> HostLook | None:
    """How the host was before anything was done to it."""
    text = site.store.read(partial(evidence.first_text, run_id=work.run.id, host=host, kind=BEFORE))
    return whole(text or "")


def whole(text: str) -> HostLook | None:
    """A look that was not cut off."""
    with contextlib.suppress(UnreadableLookError):
        return read_look(text)
    return None
