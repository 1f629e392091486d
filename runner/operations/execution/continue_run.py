"""Goes on with what a run left over: its hosts that did not end well, by the same files, and by nothing else."""

from __future__ import annotations

from runner.domain.execution.approved_content import Content, what_changed
from runner.domain.execution.run import RunState
from runner.errors import Held, NotFound, UsageError
from runner.operations.execution.digest_plan import content_of
from runner.operations.execution.find_requirements import installed_for
from runner.operations.execution.find_schedule import schedule_named
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.operations.site import Site
from runner.operations.time.once_schedules import schedule_in
from runner.store.execution import outcomes, runs


def continue_run(run: runs.Run, *, site: Site) -> str:
    """The id of the run to watch: a live one itself, as whoever executes it goes on from its record; else a new one of the hosts that it left over.

    Every guard is asked, as for any run by hand. Raises Held when the files have changed since, and UsageError when no host is left over.
    """
    if run.state is RunState.RUNNING:
        return run.id
    if run.plan.only_looks:
        again = "--readiness" if run.plan.readiness else "--check"
        raise UsageError(
            f"Run {run.number} only looked, so there is nothing to go on with. Look again: wellkept run {run.schedule} {again}"
        )
    left = left_over(run, site=site)
    if not left:
        raise UsageError(f"Run {run.number} left no host over: each of its {len(run.plan.hosts)} ended as it should.")
    limit = ":".join(left)
    refuse_changes(run, limit, site=site)
    return start_by_hand(run.schedule, Wish(limit=limit, continues=run.number), site=site)


def left_over(run: runs.Run, *, site: Site) -> tuple[str, ...]:
    """The planned hosts that did not end ok or changed, in inventory order."""
    rows = site.store.read(lambda c: outcomes.of_run(c, run.id))
    done = {row.host for row in rows if row.result.result.is_good}
    return tuple(host for host in run.plan.hosts if host not in done)


def refuse_changes(run: runs.Run, limit: str, *, site: Site) -> None:
    """Raise Held with everything that has changed since the run was claimed: what is gone on with is the same work."""
    changed = what_changed(content_then(run, site=site), content_now(run, site=site))
    if changed:
        lines = [f"Run {run.number} cannot be gone on with: what it was made from has changed. Nothing was started."]
        lines += [f"  {words}" for words in changed]
        lines.append(
            f"To run what the files say now on the hosts that it left over: wellkept run {run.schedule} --limit '{limit}'"
        )
        raise Held("\n".join(lines))


def content_then(run: runs.Run, *, site: Site) -> Content:
    """What the run was made from, by its snapshot; raises NotFound when that was cleared away."""
    path = site.snapshotted.path(run.snapshot)
    if not path.is_dir():
        raise NotFound(
            f"The files of run {run.number} are no longer kept, so nobody can tell whether they have changed. "
            f"Start anew: wellkept run {run.schedule}"
        )
    installed = site.galaxy.kept(run.plan.requirements) if run.plan.requirements else None
    return content_of(schedule_in(run.snapshot, run.schedule, site=site), None, path, installed=installed)


def content_now(run: runs.Run, *, site: Site) -> Content:
    """What a run would be made from now."""
    definitions = site.current()
    schedule, among = schedule_named(run.schedule, definitions), site.snapshots.names(site.root)
    installed = installed_for(schedule, definitions, site=site)
    return content_of(schedule, None, site.root, among=among, installed=installed)
