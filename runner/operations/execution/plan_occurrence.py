"""What an occurrence of a schedule would do: hosts, waves, budget, digests, and every guard's verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial

from runner.domain.execution import guards, host_pattern
from runner.domain.execution.approval import Occasion, Policy, Standing
from runner.domain.execution.approved_content import Content, digest_of_content
from runner.domain.execution.boundaries import ended_by
from runner.domain.execution.plan import RunPlan
from runner.domain.execution.readiness import ReadinessSeen, looking_ahead
from runner.domain.execution.requirements import Installed
from runner.domain.execution.schedule import Schedule
from runner.domain.settings import Definitions
from runner.domain.time import freeze, occurrence
from runner.domain.time.window import Opening
from runner.operations.execution.approval_standing import Permission, Question, permission_for, policy_for
from runner.operations.execution.ask_guards import ask_guards, next_boundary
from runner.operations.execution.ask_readiness import ask_readiness, readiness_steps, seen_for
from runner.operations.execution.digest_plan import content_of
from runner.operations.execution.find_requirements import hold_for_what_is_missing, installed_for
from runner.operations.execution.find_schedule import schedule_to_run
from runner.operations.execution.freeze_plan import Ground, debts_of, frozen_plan
from runner.operations.execution.match_hosts import chosen, matching, services_of
from runner.operations.execution.read_pauses import pauses_at
from runner.operations.site import Site
from runner.operations.time.bind_freezes import binding_freezes
from runner.ports import InventoryAnswer
from runner.store.execution import drains, inventories, outcomes, runs

Identity = tuple[date, int]  # of an occurrence: rule date and ordinal


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked about a schedule: when, for which hosts, and as what.

    `identity` names the occurrence that it is for, where openings overlap. `by_hand` asks for the approval of a run that a person starts, not of a slot's.
    `ahead` asks whether the hosts are fit, and nothing else, up to `until`.
    `digested` asks for the digest, too, where no approval needs it; a claim reckons its own, by its snapshot.
    """

    at: datetime
    limit: str | None = None
    check_mode: bool = False
    identity: Identity | None = None
    digested: bool = True
    by_hand: bool = False
    ahead: bool = False
    until: datetime | None = None

    @property
    def only_looks(self) -> bool:
        """Whether it asks for nothing that changes a host."""
        return self.check_mode or self.ahead


@dataclass(frozen=True, slots=True)
class Plan:
    """The very plan that the daemon executes: `run` is frozen, `holds` are the guards' noes at `at`, `digest` is what an approval binds.

    The digest is empty when it was not asked for: it takes reading every file that takes part, and asking Git which these are.
    `passed_over` are hosts that a pause leaves out while the others are done, each with who paused it and why. `estimates` is how long each host takes by
    its own past; one without a past is not in it. `boundary` is when the first of its hosts may no longer be changed.
    `readiness` is what the last look ahead came to.
    `installed` are the roles and collections that its requirements files name.
    """

    schedule: Schedule
    run: RunPlan
    opening: Opening | None
    following: Opening | None
    answer: InventoryAnswer
    at: datetime
    holds: tuple[guards.Hold, ...]
    digest: str
    services: tuple[str, ...] = ()
    unknown_names: tuple[str, ...] = ()
    debts: Mapping[str, int] = field(default_factory=dict)
    passed_over: Mapping[str, str] = field(default_factory=dict)
    boundary: datetime | None = None
    estimates: Mapping[str, timedelta] = field(default_factory=dict)
    installed: Installed | None = None
    approval: Standing = field(default_factory=Standing)
    occasion: Occasion | None = None
    readiness: ReadinessSeen | None = None


def plan_occurrence(name: str, asked: Asking, *, definitions: Definitions, site: Site) -> Plan:
    """Work out what a run of this schedule would do; raises NotFound for a name that no schedule bears, UsageError for a duty."""
    ground = ground_of(name, asked, definitions=definitions, site=site)
    content = content_for(ground, asked, definitions=definitions, site=site)
    permission = permission_on(ground, asked, content, definitions=definitions, site=site)
    ground = replace(ground, hosts=permission.hosts)
    run, boundary = bounded(ground, asked, permission, definitions=definitions, site=site)
    holds = holds_of(ground, run, permission.standing, definitions=definitions, site=site, at=asked.at)
    return Plan(
        schedule=ground.schedule,
        run=run,
        opening=ground.opening,
        following=ground.following,
        answer=ground.answer,
        at=asked.at,
        holds=holds,
        digest=digest_of_content(content) if content else "",
        services=tuple(service.name for service in ground.services),
        unknown_names=unknown_names(ground),
        debts={debt.host: debt.windows for debt in debts_of(ground.schedule, site)},
        passed_over=passed_over(run, paused_by(ground, run, pauses_at(asked.at, site=site))),
        boundary=boundary,
        installed=ground.installed,
        estimates=durations(run, site=site),
        approval=permission.standing,
        occasion=permission.occasion,
        readiness=seen_ahead(ground, site=site),
    )


def ground_of(name: str, asked: Asking, *, definitions: Definitions, site: Site) -> Ground:
    """The schedule's hosts and what they are for, and when it may run."""
    schedule = schedule_to_run(name, definitions)
    answer = site.inventories.read(definitions.settings.inventories[schedule.inventory], project=site.root)
    hosts = chosen(schedule.hosts, asked.limit, answer)
    services = services_of(hosts, definitions, answer)
    freezes = binding_freezes(schedule, definitions, services, check_mode=asked.only_looks)
    return Ground(
        schedule=schedule,
        answer=answer,
        hosts=hosts,
        services=services,
        freezes=freezes,
        opening=opening_of(schedule, freezes, at=asked.at, identity=asked.identity),
        following=occurrence.next_opening(schedule.window, freezes, after=asked.at, usable=True),
        installed=installed_for(schedule, definitions, site=site),
    )


def content_for(ground: Ground, asked: Asking, *, definitions: Definitions, site: Site) -> Content:
    """What an approval binds; nothing where nobody asks for it."""
    schedule, settings = ground.schedule, definitions.settings
    if not asked.digested and policy_for(schedule, settings, check_mode=asked.only_looks) is Policy.NONE:
        return {}
    among = site.snapshots.names(site.root)
    return content_of(schedule, ground.opening, site.root, among=among, installed=ground.installed)


def permission_on(
    ground: Ground, asked: Asking, content: Content, *, definitions: Definitions, site: Site
) -> Permission:
    """How it stands with the approval."""
    by_hand = asked.by_hand or ground.schedule.window.is_always
    question = Question(
        schedule=ground.schedule,
        occurrence=identity_of(ground.schedule, ground.opening if by_hand else ground.opening or ground.following),
        content=content,
        hosts=ground.hosts,
        by_hand=by_hand,
        check_mode=asked.only_looks,
        limited=bool(asked.limit),
    )
    return permission_for(question, definitions.settings, ground.answer, site=site, at=asked.at)


def bounded(
    ground: Ground, asked: Asking, permission: Permission, *, definitions: Definitions, site: Site
) -> tuple[RunPlan, datetime | None]:
    """The run as it would be frozen, and the boundary that it must have ended by, if there is one."""
    run = frozen_plan(ground, site=site, check_mode=asked.only_looks)
    if asked.ahead:
        run = looking_ahead(run, readiness_steps(ground.schedule), until=asked.until)
    run = replace(run, hosts=(*run.hosts, *permission.gone), limit=asked.limit or None)
    boundary = next_boundary(run, ground.answer, definitions=definitions, at=asked.at)
    return ended_by(run, boundary), boundary


def seen_ahead(ground: Ground, *, site: Site) -> ReadinessSeen | None:
    """What the last look ahead of this opening, or of the next one, came to."""
    opening = ground.opening or ground.following
    return site.store.read(partial(seen_for, schedule=ground.schedule, opening=opening))


def unknown_names(ground: Ground) -> tuple[str, ...]:
    """Names in the schedule's pattern that the inventory does not have."""
    answer = ground.answer
    return host_pattern.unknown_names(ground.schedule.hosts, hosts=tuple(answer.hosts), groups=answer.groups)


def durations(run: RunPlan, *, site: Site) -> dict[str, timedelta]:
    """How long each host takes by its own past."""
    return site.store.read(
        lambda c: outcomes.durations(c, run.schedule, run.inventory, run.hosts, playbook=run.playbook)
    )


def identity_of(schedule: Schedule, opening: Opening | None) -> Identity | None:
    """Which occurrence an opening is; none for work that no window binds."""
    return (opening.rule_date, opening.ordinal) if opening and not schedule.window.is_always else None


def opening_of(
    schedule: Schedule, freezes: Sequence[freeze.Freeze], *, at: datetime, identity: Identity | None
) -> Opening | None:
    """The opening that `at` lies in: that of the named occurrence, or else the first."""
    if identity is None or schedule.window.is_always:
        return occurrence.opening_at(schedule.window, freezes, at)
    around = occurrence.openings(schedule.window, freezes, from_=at, to=at + datetime.resolution)
    return next((opening for opening in around if (opening.rule_date, opening.ordinal) == identity), None)


def holds_of(
    ground: Ground, run: RunPlan, standing: Standing, *, definitions: Definitions, site: Site, at: datetime
) -> tuple[guards.Hold, ...]:
    """Every guard's no, in the order in which a person would want to hear them."""
    schedule, answer = ground.schedule, ground.answer
    pauses = pauses_at(at, site=site)
    paused_hosts = {pause.id: hosts for pause, hosts in paused_by(ground, run, pauses).items()}
    going = site.store.read(lambda c: runs.live_of_schedule(c, schedule.name))
    answers = (
        guards.hold_for_freeze(ground.freezes, now=at),
        guards.hold_for_pause(run, pauses, paused_hosts=paused_hosts),
        guards.hold_for_drain(site.store.read(drains.in_force)),
        guards.hold_for_window(schedule, ground.opening, ground.following, check_mode=run.only_looks, now=at),
        guards.hold_for_approval(standing),
        guards.hold_for_overlap(schedule, going.number if going else None),
        hold_for_what_is_missing(schedule, ground.installed, definitions, site=site),
        hold_for_inventory(ground, definitions=definitions, site=site),
        guards.hold_for_hosts(schedule, run.hosts),
        guards.hold_for_waves(schedule, hosts_of_waves(ground)),
        guards.hold_for_apart(schedule, run.hosts, answer.hosts),
        ask_readiness(schedule, run, ground.opening, site=site),
        guards.hold_for_container(schedule, run.hosts, answer.hosts),
        *ask_guards(schedule, run, answer, definitions=definitions, site=site, at=at),
    )
    return tuple(hold for hold in answers if hold is not None)


def hosts_of_waves(ground: Ground) -> dict[str, set[str]]:
    """The hosts of the schedule that each wave names, of the waves that name any, whatever a person leaves out of this run."""
    meant = set(matching(ground.schedule.hosts, ground.answer))
    return {wave.name: meant & set(matching(wave.hosts, ground.answer)) for wave in ground.schedule.waves if wave.hosts}


def hold_for_inventory(ground: Ground, *, definitions: Definitions, site: Site) -> guards.Hold | None:
    """Whether the inventory is whole, compared with its last good answer."""
    inventory = definitions.settings.inventories[ground.schedule.inventory]
    last_good, retired = site.store.read(
        lambda c: (inventories.last_good(c, inventory.name), inventories.retired(c, inventory.name))
    )
    found = tuple(ground.answer.hosts)
    return guards.hold_for_inventory(
        inventory, hosts=found, errors=ground.answer.errors, last_good=last_good, retired=retired
    )


def paused_by(ground: Ground, run: RunPlan, pauses: Sequence[guards.Pause]) -> dict[guards.Pause, frozenset[str]]:
    """The hosts that each pause names; all of the plan's for one that names none."""
    return {pause: frozenset(matching(pause.hosts, ground.answer) if pause.hosts else run.hosts) for pause in pauses}


def passed_over(run: RunPlan, paused: Mapping[guards.Pause, frozenset[str]]) -> dict[str, str]:
    """The hosts that a run would leave out because they are paused, while it does the others; none when it is held as a whole."""
    named = frozenset().union(*paused.values())
    if not run.changes_something or guards.stops_all(run, named):
        return {}
    words = {host: pause.words for pause, hosts in paused.items() for host in hosts}
    return {host: words[host] for host in run.hosts if host in named}
