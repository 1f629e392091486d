"""What an occurrence of a schedule would do: hosts, waves, budget, digests, and every guard's verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from runner.domain.execution import guards, host_pattern
from runner.domain.execution.apart import groups_of
from runner.domain.execution.approval import Occasion, Policy, Standing
from runner.domain.execution.approved_content import digest_of_content
from runner.domain.execution.boundaries import ended_by
from runner.domain.execution.plan import HEALTH_PREFIX, LOOK, RunPlan, Step, StepKind, rollback_steps
from runner.domain.execution.schedule import Effect, Schedule
from runner.domain.execution.waves import budget_of, planned_waves
from runner.domain.settings import Definitions, Service
from runner.domain.time import freeze, occurrence
from runner.domain.time.window import Opening
from runner.errors import NotFound, UsageError
from runner.operations.execution.approval_standing import Question, permission_for, policy_for
from runner.operations.execution.ask_guards import ask_guards, next_boundary
from runner.operations.execution.digest_plan import content_of
from runner.operations.execution.read_pauses import pauses_at
from runner.operations.site import Site
from runner.ports import InventoryAnswer
from runner.store.execution import debts, drains, inventories, outcomes, runs
from runner.store.record import observations

Identity = tuple[date, int]  # of an occurrence: rule date and ordinal
IMPACTS = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Unguarded:
    """A plan before the guards were asked."""

    schedule: Schedule
    run: RunPlan
    opening: Opening | None
    following: Opening | None
    answer: InventoryAnswer


@dataclass(frozen=True, slots=True)
class Plan(Unguarded):
    """The very plan that the daemon executes: `run` is frozen, `holds` are the guards' noes at `at`, `digest` is what an approval binds.

    The digest is empty when it was not asked for: it takes reading every file that takes part, and asking Git which these are.
    `passed_over` are hosts that a pause leaves out while the others are done, each with who paused it and why. `estimates` is how long each host takes by
    its own past; one without a past is not in it. `boundary` is when the first of its hosts may no longer be changed.
    """

    at: datetime
    holds: tuple[guards.Hold, ...]
    digest: str
    services: tuple[str, ...] = ()
    unknown_names: tuple[str, ...] = ()
    debts: Mapping[str, int] = field(default_factory=dict)
    passed_over: Mapping[str, str] = field(default_factory=dict)
    boundary: datetime | None = None
    estimates: Mapping[str, timedelta] = field(default_factory=dict)
    approval: Standing = field(default_factory=Standing)
    occasion: Occasion | None = None


def plan_occurrence(
    name: str,
    *,
    definitions: Definitions,
    site: Site,
    at: datetime,
    limit: str | None = None,
    check_mode: bool = False,
    identity: Identity | None = None,
    digested: bool = True,
    by_hand: bool = False,
) -> Plan:
    """Work out what a run of this schedule at `at` would do; raises NotFound for a name that no schedule bears, UsageError for a duty.

    `identity` names the occurrence that it is for, where openings overlap. `by_hand` asks for the approval of a run that a person starts, not of a slot's.
    `digested` asks for the digest, too, where no approval needs it; a claim reckons its own, by its snapshot.
    """
    schedule = schedule_to_run(name, definitions)
    answer = site.inventories.read(definitions.settings.inventories[schedule.inventory], project=site.root)
    hosts = chosen(schedule.hosts, limit, answer)
    services = services_of(hosts, definitions, answer)
    freezes = binding_freezes(schedule, definitions, services, check_mode=check_mode)
    opening = opening_of(schedule, freezes, at=at, identity=identity)
    following = occurrence.next_opening(schedule.window, freezes, after=at, usable=True)
    wanted = digested or policy_for(schedule, definitions.settings, check_mode=check_mode) is not Policy.NONE
    content = content_of(schedule, opening, site.root, among=site.snapshots.names(site.root)) if wanted else {}
    by_hand = by_hand or schedule.window.is_always
    question = Question(
        schedule=schedule,
        occurrence=identity_of(schedule, opening if by_hand else opening or following),
        content=content,
        hosts=hosts,
        by_hand=by_hand,
        check_mode=check_mode,
        limited=bool(limit),
    )
    permission = permission_for(question, definitions.settings, answer, site=site, at=at)
    hosts = permission.hosts
    run = frozen_plan(schedule, hosts, answer, site=site, opening=opening, services=services, check_mode=check_mode)
    run = replace(run, hosts=(*hosts, *permission.gone), limit=limit or None)
    boundary = next_boundary(run, answer, definitions=definitions, at=at)
    run = ended_by(run, boundary)
    bare = Unguarded(schedule, run, opening, following, answer)
    return Plan(
        schedule=schedule,
        at=at,
        run=run,
        opening=opening,
        following=following,
        holds=holds_of(bare, definitions=definitions, site=site, freezes=freezes, at=at, standing=permission.standing),
        digest=digest_of_content(content) if content else "",
        answer=answer,
        services=tuple(service.name for service in services),
        unknown_names=host_pattern.unknown_names(schedule.hosts, hosts=tuple(answer.hosts), groups=answer.groups),
        debts={debt.host: debt.windows for debt in debts_of(schedule, site)},
        passed_over=passed_over(bare, paused_by(bare, pauses_at(at, site=site))),
        boundary=boundary,
        estimates=site.store.read(
            lambda c: outcomes.durations(c, name, run.inventory, run.hosts, playbook=run.playbook)
        ),
        approval=permission.standing,
        occasion=permission.occasion,
    )


def identity_of(schedule: Schedule, opening: Opening | None) -> Identity | None:
    """Which occurrence an opening is; none for work that no window binds."""
    return (opening.rule_date, opening.ordinal) if opening and not schedule.window.is_always else None


def schedule_named(name: str, definitions: Definitions) -> Schedule:
    """The schedule of that name, or an error that names the nearest."""
    import difflib

    found = definitions.schedules.get(name)
    if found is None:
        near = difflib.get_close_matches(name, definitions.schedules, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "`wellkept calendar` lists them."
        raise NotFound(f"There is no schedule {name!r}. {hint}")
    return found


def schedule_to_run(name: str, definitions: Definitions) -> Schedule:
    """The schedule of that name, if there is anything to run in it; raises UsageError for a duty of a person."""
    schedule = schedule_named(name, definitions)
    if schedule.is_manual:
        raise UsageError(
            f"{name!r} is a duty that a person does: there is nothing to run. `wellkept tickets list` shows its ticket while it is due; "
            "who has done it says so there: wellkept tickets resolve NUMBER --done 'what was done'"
        )
    return schedule


def matching(pattern: str, answer: InventoryAnswer) -> tuple[str, ...]:
    """The hosts that an Ansible pattern names, in inventory order."""
    return host_pattern.match(pattern, hosts=tuple(answer.hosts), groups=answer.groups)


def chosen(pattern: str, limit: str | None, answer: InventoryAnswer) -> tuple[str, ...]:
    """The hosts that a schedule's pattern names, and of those only the ones that a person's own pattern names, too."""
    hosts = matching(pattern, answer)
    within = set(matching(limit, answer)) if limit else set(hosts)
    return tuple(host for host in hosts if host in within)


def services_of(hosts: Sequence[str], definitions: Definitions, answer: InventoryAnswer) -> tuple[Service, ...]:
    """The services that any of these hosts serve."""
    return tuple(
        service
        for service in definitions.settings.services.values()
        if set(matching(service.hosts, answer)) & set(hosts)
    )


def opening_of(
    schedule: Schedule, freezes: Sequence[freeze.Freeze], *, at: datetime, identity: Identity | None
) -> Opening | None:
    """The opening that `at` lies in: that of the named occurrence, or else the first."""
    if identity is None or schedule.window.is_always:
        return occurrence.opening_at(schedule.window, freezes, at)
    around = occurrence.openings(schedule.window, freezes, from_=at, to=at + datetime.resolution)
    return next((opening for opening in around if (opening.rule_date, opening.ordinal) == identity), None)


def binding_freezes(
    schedule: Schedule, definitions: Definitions, services: Sequence[Service], *, check_mode: bool = False
) -> tuple[freeze.Freeze, ...]:
    """The freezes that mean this schedule and do not let it pass; none for a person's duty, which changes nothing of ours."""
    if schedule.is_manual:
        return ()
    return freeze.binding(
        definitions.freezes,
        schedule=schedule.name,
        window=schedule.window.name,
        services=[service.name for service in services],
        effect=freeze.READ_ONLY if check_mode else str(schedule.effect),
        change=str(schedule.change.type),
    )


def frozen_plan(
    schedule: Schedule,
    hosts: tuple[str, ...],
    answer: InventoryAnswer,
    *,
    site: Site,
    opening: Opening | None,
    services: Sequence[Service],
    check_mode: bool,
) -> RunPlan:
    """Freeze what the run will do; read-only work and check mode have no end of window."""
    bound = schedule.changes_something and not check_mode and opening is not None
    endless = schedule.window.is_always and not (opening and opening.frozen_by)
    named = [
        tuple(host for host in matching(wave.hosts, answer) if host in hosts) if wave.hosts else ()
        for wave in schedule.waves
    ]
    return RunPlan(
        schedule=schedule.name,
        title=schedule.title,
        inventory=schedule.inventory,
        playbook=schedule.playbook,
        hosts=hosts,
        waves=planned_waves(
            schedule.waves,
            hosts=hosts,
            named=named,
            itself=itself_among(hosts, answer, schedule, site),
            split=schedule.split,
        ),
        concurrency=schedule.concurrency,
        budget=budget_of(schedule.failure_budget, len(hosts)),
        before=(LOOK, *(step_from(text) for text in schedule.before)),
        after=(LOOK, *(step_from(text) for text in schedule.after)),
        carried=tuple(debt.host for debt in debts_of(schedule, site) if debt.host in hosts and debt.reorders),
        split=schedule.split,
        at_end=schedule.window.at_end,
        opens=opening.usable_from if bound and opening else None,
        last_start=opening.last_start if bound and opening and not endless else None,
        ends=opening.usable_until if bound and opening and not endless else None,
        check_mode=check_mode,
        changes_something=schedule.changes_something and not check_mode,
        impact=max((service.impact for service in services), key=IMPACTS.index, default="medium"),
        owner=schedule.owner,
        services={
            host: service.title for service in services for host in matching(service.hosts, answer) if host in hosts
        },
        groups=groups_of(schedule.apart, hosts, answer.hosts),
        reboots=schedule.effect is Effect.REBOOT and not check_mode,
        retries=schedule.on_failure.transient,
        retry_after=schedule.on_failure.after,
        rollback=rollback_of(schedule, check_mode=check_mode),
    )


def rollback_of(schedule: Schedule, *, check_mode: bool) -> tuple[Step, ...]:
    """How hosts that failed are rolled back; in check mode nothing was changed that could be."""
    playbook = schedule.on_failure.rollback
    return rollback_steps(playbook) if playbook and not check_mode else ()


def step_from(text: str) -> Step:
    """A step of `before:` or `after:`: a playbook, or `health:NAME`."""
    if text.startswith(HEALTH_PREFIX):
        return Step(StepKind.HEALTH, text.removeprefix(HEALTH_PREFIX))
    return Step(StepKind.PLAYBOOK, text)


def debts_of(schedule: Schedule, site: Site) -> list[debts.Debt]:
    """The hosts that owe this schedule a run."""
    return site.store.read(lambda c: debts.of_schedule(c, schedule.inventory, schedule.name))


def itself_among(hosts: Sequence[str], answer: InventoryAnswer, schedule: Schedule, site: Site) -> str | None:
    """The host that runs Wellkept, by its local connection or by the machine-id that was last seen there."""
    local = next((host for host in hosts if answer.hosts[host].get("ansible_connection") == "local"), None)
    if local:
        return local
    ours = machine_id()
    seen = site.store.read(lambda c: observations.machine_ids(c, schedule.inventory))
    return next((host for host in hosts if ours and seen.get(host) == ours), None)


def machine_id() -> str:
    """The id of the machine we run on (machine-id(5)), or nothing where there is none."""
    try:
        return Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def holds_of(
    plan: Unguarded,
    *,
    definitions: Definitions,
    site: Site,
    freezes: Sequence[freeze.Freeze],
    at: datetime,
    standing: Standing,
) -> tuple[guards.Hold, ...]:
    """Every guard's no, in the order in which a person would want to hear them."""
    schedule, run, answer = plan.schedule, plan.run, plan.answer
    inventory = definitions.settings.inventories[schedule.inventory]
    paused = pauses_at(at, site=site)
    last_good, retired = site.store.read(
        lambda c: (inventories.last_good(c, inventory.name), inventories.retired(c, inventory.name))
    )
    going = site.store.read(lambda c: runs.live_of_schedule(c, schedule.name))
    drained = guards.hold_for_drain(site.store.read(drains.in_force))
    answers = (
        guards.hold_for_freeze(freezes, now=at),
        guards.hold_for_pause(
            run, paused, paused_hosts={pause.id: hosts for pause, hosts in paused_by(plan, paused).items()}
        ),
        drained,
        guards.hold_for_window(schedule, plan.opening, plan.following, check_mode=run.check_mode, now=at),
        guards.hold_for_approval(standing),
        guards.hold_for_overlap(schedule, going.number if going else None),
        guards.hold_for_inventory(
            inventory, hosts=tuple(answer.hosts), errors=answer.errors, last_good=last_good, retired=retired
        ),
        guards.hold_for_hosts(schedule, run.hosts),
        guards.hold_for_apart(schedule, run.hosts, answer.hosts),
        *ask_guards(schedule, run, answer, definitions=definitions, site=site, at=at),
    )
    return tuple(hold for hold in answers if hold is not None)


def paused_by(plan: Unguarded, pauses: Sequence[guards.Pause]) -> dict[guards.Pause, frozenset[str]]:
    """The hosts that each pause names; all of the plan's for one that names none."""
    return {pause: frozenset(matching(pause.hosts, plan.answer) if pause.hosts else plan.run.hosts) for pause in pauses}


def passed_over(plan: Unguarded, paused: Mapping[guards.Pause, frozenset[str]]) -> dict[str, str]:
    """The hosts that a run would leave out because they are paused, while it does the others; none when it is held as a whole."""
    named = frozenset().union(*paused.values())
    if not plan.run.changes_something or guards.stops_all(plan.run, named):
        return {}
    words = {host: pause.words for pause, hosts in paused.items() for host in hosts}
    return {host: words[host] for host in plan.run.hosts if host in named}
