"""One beat of the metronome: what is due is claimed, held or settled; what goes on takes its next step; nothing that fails here stops the rest."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from runner.domain.settings import Definitions
from runner.operations.execution.follow_up import follow_up
from runner.operations.execution.settle_runs import settle_runs
from runner.operations.site import Site
from runner.operations.time.consider_intervals import consider_intervals
from runner.operations.time.consider_readiness import consider_readiness
from runner.operations.time.consider_slots import consider_slots
from runner.operations.time.keep_ledger import Kept, keep_edits
from runner.ports import Dispatcher
from runner.store.execution import daemons
from runner.store.time import slots

log = logging.getLogger(__name__)


def tick(*, site: Site, dispatcher: Dispatcher, started: datetime, kept: Kept, starting: bool = True) -> None:
    """Do whatever the rows and the clock ask for now; with `starting` False no new run is started, as while the daemon is stopping."""
    guarded("beat", lambda: site.store.write(lambda c: daemons.beat(c, site.owner, started_at=started)))
    if starting:
        guarded("definitions", lambda: follow_definitions(site.current(), site=site, kept=kept))
    guarded("runs", lambda: settle_runs(site=site, dispatcher=dispatcher))
    guarded("follow-up", lambda: follow_up(site=site))


def follow_definitions(definitions: Definitions, *, site: Site, kept: Kept) -> None:
    """What these definitions ask for now; they are the same throughout the beat."""
    guarded("slots", lambda: open_slots(definitions, site=site, kept=kept))
    guarded("snapshot", lambda: keep_snapshot(definitions, site=site))
    guarded("due", lambda: consider_slots(definitions, site=site))
    guarded("readiness", lambda: consider_readiness(definitions, site=site, asked=kept.asked))
    guarded("cadence", lambda: consider_intervals(definitions, site=site, asked=kept.asked))


def open_slots(definitions: Definitions, *, site: Site, kept: Kept) -> None:
    """Mark as due what has opened. A slot never comes due by definitions that are no longer in force: those that an edit is still to reach wait."""
    keep_edits(definitions, site=site, kept=kept)
    site.store.write(lambda c: slots.mark_due(c, now=site.clock(), but=kept.pending))


def keep_snapshot(definitions: Definitions, *, site: Site) -> None:
    """Keep a snapshot of the definitions in force, for the runs that begin after a broken edit."""
    besides = definitions.files_besides
    site.snapshotted.keep_good(definitions, lambda: site.snapshots.take(site.root, besides=besides))


def guarded(part: str, work: Callable[[], object]) -> None:
    """One part of the beat; its trouble is logged and the other parts go on."""
    try:
        work()
    except Exception:
        log.exception("The beat's part %r failed", part, extra={"action": "tick.failed", "part": part})
