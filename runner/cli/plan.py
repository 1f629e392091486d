"""`wellkept plan`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from runner.cli.app import pass_app
from runner.cli.approval_screen import approval_lines, approval_row
from runner.cli.duty_screen import duty_lines, duty_row
from runner.cli.installing import install_ahead
from runner.cli.instants import next_option
from runner.cli.output import Column, format_option, show, show_json
from runner.cli.readiness_screen import readiness_lines, readiness_row
from runner.errors import count
from runner.wiring import App

if TYPE_CHECKING:
    from runner.domain.execution.plan import PlannedWave
    from runner.domain.execution.schedule import Requirement
    from runner.operations.execution.plan_occurrence import Plan
    from runner.operations.time.plan_duty import DutyPlan

OVERVIEW = [
    Column("SCHEDULE", "schedule"),
    Column("HOSTS", "hosts"),
    Column("NEXT OPENING", "opens"),
    Column("HELD BY", "held"),
    Column("DIGEST", "digest"),
]
NAMED = 8  # hosts of a wave that are named
NOTHING_OPENS = "Nothing opens then. `wellkept calendar` shows what opens when."
NO_SCHEDULE = "There is no schedule yet. See schedules/README.md."


@click.command("plan")
@click.argument("name", required=False)
@click.option("--at", "at_text", default="now", show_default=True, help="Plan for that instant.")
@next_option
@click.option("--limit", metavar="PATTERN", help="Only these of the schedule's hosts.")
@format_option
@pass_app
def command(app: App, name: str | None, at_text: str, coming: str | None, limit: str | None, form: str) -> None:
    r"""Show what a schedule would do, and whether anything holds it.

    \b
    wellkept plan                              every schedule in one line each
    wellkept plan patch-web                    hosts, waves, guards, defaults, digest
    wellkept plan patch-web --at "2026-03-22 02:30"
    wellkept plan --next weekend               everything that opens then, one after the other
    """
    install_ahead(app)
    plans = plans_in(app, name, coming, limit) if coming else plans_at(app, name, at_text, limit)
    if form == "json":
        show_json({"plans": [as_row(plan, app) for plan in plans]})
    elif coming:
        click.echo("\n\n".join(block_of(plan, app) for plan in plans) or NOTHING_OPENS)
    elif name:
        click.echo("\n".join(lines_of(plans[0], app)))
    else:
        show("plans", [in_one_line(as_row(plan, app)) for plan in plans], OVERVIEW, form=form, empty=NO_SCHEDULE)


def plans_at(app: App, name: str | None, at_text: str, limit: str | None) -> list[Plan | DutyPlan]:
    """The plan of one schedule, or of every one, at an instant."""
    from runner.cli.instants import parse_instant

    at = parse_instant(at_text, now=app.clock(), zone=app.settings.timezone)
    names = [name] if name else list(app.site.current().schedules)
    return [plan_at(app, each, at, limit) for each in names]


def plan_at(app: App, name: str, at: datetime, limit: str | None) -> Plan | DutyPlan:
    """The plan of one schedule: what would run, or which duty a person has."""
    from runner.operations.execution.find_schedule import schedule_named
    from runner.operations.execution.plan_occurrence import Asking, plan_occurrence
    from runner.operations.time.plan_duty import plan_duty

    definitions = app.site.current()
    schedule = schedule_named(name, definitions)
    if schedule.is_manual:
        return plan_duty(schedule, site=app.site, at=at)
    return plan_occurrence(name, Asking(at, limit=limit), definitions=definitions, site=app.site)


def plans_in(app: App, name: str | None, named: str, limit: str | None) -> list[Plan | DutyPlan]:
    """The plans of what opens in a span that bears a name."""
    from zoneinfo import ZoneInfo

    from runner.domain.time.coming import coming
    from runner.operations.execution.plan_openings import plan_openings

    from_, to = coming(named, now=app.clock(), zone=ZoneInfo(app.settings.timezone))
    return plan_openings(site=app.site, from_=from_, to=to, names=[name] if name else [], limit=limit)


def block_of(plan: Plan | DutyPlan, app: App) -> str:
    """A plan below the moment that it is for."""
    from runner.operations.execution.start_run import local_in

    moment = click.style(local_in(plan.at, plan.schedule.window.timezone), bold=True)
    return "\n".join([moment, *(f"  {line}" for line in lines_of(plan, app))])


def as_row(plan: Plan | DutyPlan, app: App) -> dict[str, object]:
    """The whole plan for JSON."""
    from runner.operations.time.plan_duty import DutyPlan

    if isinstance(plan, DutyPlan):
        return duty_row(plan)
    opening = plan.opening or plan.following
    return {
        "schedule": plan.schedule.name,
        "title": plan.schedule.title,
        "kind": str(plan.schedule.kind),
        "at": plan.at.isoformat(),
        "hosts": list(plan.run.hosts),
        "waves": [
            {"name": w.name, "size": w.size, "hosts": list(w.hosts), "canary": w.is_canary} for w in plan.run.waves
        ],
        "failure_budget": plan.run.budget,
        "concurrency": plan.run.concurrency,
        "apart": {"variables": list(plan.schedule.apart), "groups": {h: list(g) for h, g in plan.run.groups.items()}},
        "estimates_seconds": {host: span.total_seconds() for host, span in plan.estimates.items()},
        "reserve_seconds": plan.run.reserve.total_seconds(),
        "on_failure": {
            "retries": plan.run.retries,
            "retry_after_seconds": plan.run.retry_after.total_seconds() if plan.run.retries else None,
            "rollback": plan.schedule.on_failure.rollback if plan.run.rollback else None,
        },
        "opens": opening.usable_from.isoformat() if opening and not plan.schedule.window.is_always else None,
        "every_seconds": plan.schedule.every.total_seconds() if plan.schedule.every else None,
        "holds": [
            {"guard": h.guard, "reason": h.reason, "until": h.until.isoformat() if h.until else None}
            for h in plan.holds
        ],
        "carried": list(plan.run.carried),
        "passed_over": dict(plan.passed_over),
        "defaults": list(plan.schedule.defaults_used),
        "digest": plan.digest,
        "approval": approval_row(plan.approval),
        "readiness": readiness_row(plan),
        "requirements": {name: item.version for name, item in plan.installed.items.items()} if plan.installed else {},
        "adds_to_ansible": list(added_words(plan, app)),
    }


def in_one_line(row: dict[str, object]) -> dict[str, object]:
    """A plan as a line of the overview."""
    holds, hosts = row["holds"], row["hosts"]
    held = "; ".join(hold["reason"] for hold in holds) if isinstance(holds, list) else ""
    return {
        **row,
        "hosts": len(hosts) if isinstance(hosts, list) else 0,
        "held": held,
        "digest": str(row["digest"])[:12],
    }


def lines_of(plan: Plan | DutyPlan, app: App) -> list[str]:
    """A plan as a person reads it."""
    from runner.operations.execution.start_run import local
    from runner.operations.time.plan_duty import DutyPlan

    if isinstance(plan, DutyPlan):
        return duty_lines(plan)
    run, schedule = plan.run, plan.schedule
    most = app.settings.boundaries.max_concurrent_hosts
    lines = [f"{schedule.title} ({schedule.name}, {schedule.source})"]
    lines += [f"Why: {schedule.why}"] if schedule.why else []
    lines += [
        f"Playbook: {schedule.playbook}    Inventory: {schedule.inventory}    Hosts: {len(run.hosts)} by {schedule.hosts!r}"
    ]
    lines += [window_line(plan)]
    lines += (
        [f"Boundary: one of its hosts may not be changed from {local(plan.boundary, plan)} on"] if plan.boundary else []
    )
    lines += [f"Requires: {ring_in_words(each)}" for each in schedule.requires]
    lines += ["Waves:"] + [f"  {position}. {words}" for position, words in enumerate(waves_in_words(plan), 1)]
    lines += [f"Failure budget: {budget_in_words(run.budget)}    At the same time: {run.concurrency}"]
    lines += [f"Boundary: all runs together change at most {count(most, 'host')} at the same time"] if most else []
    lines += kept_apart(plan)
    lines += if_it_fails(plan)
    lines += time_for_a_host(plan)
    lines += [f"Passed over: {host}, {why}" for host, why in plan.passed_over.items()]
    lines += readiness_lines(plan)
    lines += approval_lines(plan)
    lines += [f"Carried over from earlier: {', '.join(run.carried)}"] if run.carried else []
    lines += (
        ["Held by:"] + [f"  {hold.guard}: {hold.reason}" for hold in plan.holds]
        if plan.holds
        else ["Nothing holds it."]
    )
    lines += (
        ["Defaults used:"] + [f"  {default}" for default in schedule.defaults_used] if schedule.defaults_used else []
    )
    lines += [f"Installed by your requirements: {plan.installed.words}"] if plan.installed else []
    lines += ["Added to your Ansible:"] + [f"  {words}" for words in added_words(plan, app)]
    return [
        *lines,
        f"Digest: {plan.digest[:12]}    To run exactly this: wellkept run {schedule.name} --digest {plan.digest[:12]}",
    ]


def added_words(plan: Plan, app: App) -> tuple[str, ...]:
    """What Wellkept adds to the schedule's own Ansible, one sentence each."""
    from runner.operations.execution.choose_pipelining import left_open, pipelined, pipelining_in_words

    schedule, run, root = plan.schedule, plan.run, app.root
    folder = app.site.galaxy.folder(plan.installed.digest) if plan.installed else None
    hosts = left_open(run.hosts, plan.answer)
    found = pipelined(hosts, run.inventory, schedule.ansible, root / run.playbook, project=root, site=app.site)
    added = app.machine.adds_to_ansible(schedule.ansible, requirements=folder)
    return (*added, *pipelining_in_words(found, len(run.hosts)))


def window_line(plan: Plan) -> str:
    """When the window is open, in its own zone."""
    from runner.operations.execution.start_run import local

    if plan.schedule.every:
        return every_line(plan.schedule.every, at=plan.at)
    if plan.schedule.window.is_always:
        return "Window: always open"
    if plan.opening and plan.opening.is_frozen:
        return f"Window: {plan.schedule.window.name}, frozen by {', '.join(plan.opening.frozen_by)}"
    if plan.opening:
        return f"Window: {plan.schedule.window.name}, open until {local(plan.opening.usable_until, plan)}, last start {local(plan.opening.last_start, plan)}"
    following = local(plan.following.usable_from, plan) if plan.following else "never"
    return f"Window: {plan.schedule.window.name}, closed; next opening {following}"


def every_line(every: timedelta, *, at: datetime) -> str:
    """How often it runs by itself, and when its next interval begins."""
    from runner.domain.time.cadence import interval_at
    from runner.domain.time.duration import describe

    return f"Every: {describe(every)}, by itself while `wellkept serve` runs; the next interval begins {interval_at(at, every).ends:%a %Y-%m-%d %H:%M} UTC"


def ring_in_words(requirement: Requirement) -> str:
    """What a ring before this one must have come to."""
    from runner.domain.time.duration import describe

    ages = [f"at least {describe(requirement.at_least)}"] if requirement.at_least else []
    ages += [f"at most {describe(requirement.within)}"] if requirement.within else []
    ago = f", ended {' and '.join(ages)} before" if ages else ""
    return f"{requirement.schedule}, {requirement.verdict}{ago}"


def waves_in_words(plan: Plan) -> list[str]:
    """Each wave with its size and hosts, as they would be drawn if every host is fit."""
    from runner.domain.execution.run import RunRecord
    from runner.domain.execution.waves import ordered, wanted_in

    record, drawn = RunRecord("", plan.run), set[str]()
    told = []
    for wave in plan.run.waves:
        pool = ordered((host for host in wanted_in(wave, record) if host not in drawn), wave, record)
        own = pool[: wave.size]
        drawn.update(own)
        told.append(f"{wave.name}: {len(own)} ({shortened(own)}){wave_rules(wave)}")
    return told


def kept_apart(plan: Plan) -> list[str]:
    """Which hosts are never changed together, and how many nothing binds."""
    if not plan.schedule.apart:
        return []
    groups = {group for own in plan.run.groups.values() for group in own}
    free = len(plan.run.hosts) - len(plan.run.groups)
    told = (
        f"Kept apart: one host at a time of each of {count(len(groups), 'group')} by {', '.join(plan.schedule.apart)}"
    )
    return [told + (f"; {count(free, 'host')} in none" if free else "")]


def if_it_fails(plan: Plan) -> list[str]:
    """What is done with a host that fails."""
    from runner.domain.time.duration import describe

    run = plan.run
    retry = f"tried again {'once' if run.retries == 1 else f'up to {run.retries} times'} after {describe(run.retry_after)} if the cause may pass by itself"
    back = f"rolled back by {plan.schedule.on_failure.rollback}"
    told = ([retry] if run.retries else []) + ([back] if run.rollback else [])
    return [f"If it fails on a host: {', then '.join(told)}"] if told else []


def time_for_a_host(plan: Plan) -> list[str]:
    """How long a host is expected to take, and for which hosts there would not be room any more."""
    from runner.domain.execution.run import RunRecord
    from runner.domain.execution.waves import fits
    from runner.domain.time.duration import describe

    if plan.run.ends is None or not plan.run.hosts:
        return []
    known = sorted(plan.estimates, key=lambda host: plan.estimates[host])
    told = [f"up to {describe(rounded(plan.estimates[known[-1]]))} ({known[-1]}), by its own past"] if known else []
    without = len(plan.run.hosts) - len(known)
    told += [f"{describe(plan.run.reserve)} for {count(without, 'host')} without a past"] if without else []
    record = RunRecord("", plan.run, estimates=plan.estimates, reserve=plan.run.reserve)
    late = [host for host in plan.run.hosts if not fits(host, record, now=plan.at)]
    return [f"Time for a host: {'; '.join(told)}"] + ([f"No room then for: {shortened(late)}"] if late else [])


def rounded(span: timedelta) -> timedelta:
    """A span in whole seconds, rounded up."""
    return timedelta(seconds=math.ceil(span.total_seconds()))


def shortened(hosts: Sequence[str]) -> str:
    """The first hosts of a wave by name."""
    return ", ".join([*hosts[:NAMED], *(["…"] if len(hosts) > NAMED else [])])


def wave_rules(wave: PlannedWave) -> str:
    """What a wave does beside its hosts."""
    from runner.domain.time.duration import describe

    halts = f", {count(wave.tolerates, 'failure')} tolerated" if wave.tolerates else ", every failure halts"
    return (halts if wave.is_canary else "") + (f", then watched for {describe(wave.soak)}" if wave.soak else "")


def budget_in_words(budget: int) -> str:
    """What the failure budget means."""
    if not budget:
        return "0, so the first failure stops the run"
    return f"{count(budget, 'host')} may fail; the next failure stops the run"
