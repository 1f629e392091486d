"""Why a host was touched or not: one line for each slot that could have touched it, and for each run by hand that meant it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from runner.domain.execution.guards import APPROVAL, FREEZE, HOSTS, INVENTORY, OVERLAP, PAUSE, WINDOW
from runner.domain.execution.outcome import HostResult, NotRun, Result
from runner.domain.execution.run import SlotOutcome, SlotState, Trigger
from runner.domain.execution.schedule import Schedule
from runner.domain.settings import Definitions
from runner.domain.time.duration import describe
from runner.errors import count
from runner.operations.describe_hosts import Inventories, inventory_of
from runner.operations.execution.match_hosts import matching
from runner.operations.execution.read_pauses import pauses_at
from runner.operations.execution.show_run import outcome_in_words, words_for
from runner.operations.execution.wait_for_approval import slots_that_wait
from runner.operations.site import Site
from runner.operations.time.keep_ledger import has_slots
from runner.operations.time.next_openings import next_of
from runner.ports import InventoryAnswer
from runner.reporting.words import WHY_NOT_RUN
from runner.store.execution import approvals, debts, holds, inventories, outcomes, runs
from runner.store.time import slots
from runner.store.transaction import Transaction

TOLD_IF_BAD = {Trigger.CADENCE, Trigger.READINESS}
LOOK_AHEAD = timedelta(days=90)
OUTCOMES_LOOKED_AT = 200  # of the host: they tell which schedules it belonged to
NOT_MEANT, PLANNED, DUE, GOING = "not meant", "planned", "due", "running"
NOT_OPEN = "it has not opened yet"
FITNESS, BUDGET, ROOM, LOCK = "pre-check", "failure budget", "room left", "host lock"
GUARD_OF_SLOT: Mapping[str, str] = {
    SlotOutcome.FROZEN: FREEZE,
    SlotOutcome.PAUSED: PAUSE,
    SlotOutcome.SKIPPED: OVERLAP,
}
GUARD_OF_HOST: Mapping[NotRun, str] = {
    NotRun.BUDGET: BUDGET,
    NotRun.NO_ROOM: ROOM,
    NotRun.CUTOFF: WINDOW,
    NotRun.FROZEN: FREEZE,
    NotRun.PAUSED: PAUSE,
    NotRun.PRE_CHECK: FITNESS,
    NotRun.LOCK: LOCK,
    NotRun.VANISHED: INVENTORY,
    NotRun.NOT_IN_PLAYBOOK: HOSTS,
}


@dataclass(frozen=True, slots=True)
class Chance:
    """One slot that could have touched the host, or one run without a slot that meant it (`by` names the person who asked for it by hand).

    `guard` is what said no, None when nothing did; `cause` says it in plain words. `next` is when the schedule may touch it next.
    """

    when: datetime
    schedule: str
    by: str
    outcome: str
    guard: str | None
    cause: str
    run: int | None
    next: datetime | None


@dataclass(frozen=True, slots=True)
class HostExplained:
    """Everything that bears on one host, the oldest first; `notes` say what no line can, such as that no schedule names it."""

    host: str
    inventory: str
    since: datetime
    chances: tuple[Chance, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is known about the host before its slots are looked at; `naming` are the schedules whose pattern names it now."""

    host: str
    inventory: str
    since: datetime
    now: datetime
    definitions: Definitions
    answer: InventoryAnswer
    naming: frozenset[str]
    known_to: frozenset[str]
    next: Mapping[str, datetime | None]
    waiting: Mapping[str, str]


def explain_host(host: str, *, inventory: str | None, since: datetime, among: Inventories, site: Site) -> HostExplained:
    """Look at every slot and run since then that could have touched the host, and at the next one of each schedule; raises NotFound."""
    name = inventory_of(host, inventory, among=among, store=site.store)
    case = case_of(host, name, since=since, answer=among.read(name), site=site)
    chances = site.store.read(lambda c: [*of_slots(c, case), *of_hand(c, case)])
    return HostExplained(
        host, name, since, tuple(sorted(chances, key=lambda each: each.when)), tuple(notes_of(case, site=site))
    )


def case_of(host: str, inventory: str, *, since: datetime, answer: InventoryAnswer, site: Site) -> Case:
    """What is known about the host, whichever slot is looked at."""
    definitions, now = site.current(), site.clock()
    own = [each for each in definitions.schedules.values() if each.inventory == inventory]
    naming = frozenset(each.name for each in own if host in matching(each.hosts, answer))
    past = site.store.read(lambda c: outcomes.last_of_host(c, inventory, host, limit=OUTCOMES_LOOKED_AT))
    chances = {name: next_chance(definitions.schedules[name], definitions, site=site, now=now) for name in naming}
    return Case(
        host=host,
        inventory=inventory,
        since=since,
        now=now,
        definitions=definitions,
        answer=answer,
        naming=naming,
        known_to=frozenset(row.schedule for row in past) | naming,
        next=chances,
        waiting=waiting_for_approval(naming, definitions, site=site),
    )


def waiting_for_approval(naming: frozenset[str], definitions: Definitions, *, site: Site) -> dict[str, str]:
    """The slots ahead that somebody has to approve first, each with the words for it."""
    schedules = {name: definitions.schedules[name] for name in naming}
    found = slots_that_wait(replace(definitions, schedules=schedules), site=site, within=LOOK_AHEAD)
    return {waiting.slot: waiting.why for waiting in found}


def next_chance(schedule: Schedule, definitions: Definitions, *, site: Site, now: datetime) -> datetime | None:
    """When a schedule may start next: by the ledger, which knows what was waived, or by the files while nothing is written ahead."""
    if not has_slots(schedule):
        return None
    ahead = site.store.read(lambda c: slots.between(c, now, now + LOOK_AHEAD, [schedule.name]))
    if not ahead:
        following = next_of(schedule, definitions, now)
        return following.opens if following else None
    usable = (slot for slot in ahead if slot.state is SlotState.PLANNED and not slot.is_frozen)
    return next((slot.usable_from for slot in usable), None)


def of_slots(connection: Transaction, case: Case) -> Iterator[Chance]:
    """The slots since then, and the next one of each schedule."""
    seen: set[str] = set()
    for slot in slots.between(connection, case.since, case.now + LOOK_AHEAD):
        if slot.opens_at > case.now:
            if slot.schedule in seen:
                continue
            seen.add(slot.schedule)
        if inventory_of_slot(connection, slot, case) == case.inventory and bears_on(slot, case):
            yield of_slot(connection, slot, case)
    for name in sorted(case.naming - seen):  # nobody has written its slots ahead yet
        if opens := case.next[name]:
            yield Chance(opens, name, "", PLANNED, None, NOT_OPEN, None, opens)


def inventory_of_slot(connection: Transaction, slot: slots.Slot, case: Case) -> str:
    """The inventory of a slot's hosts; a schedule that is gone has only its run's."""
    schedule = case.definitions.schedules.get(slot.schedule)
    if slot.run_id:
        return runs.get(connection, slot.run_id).inventory
    return schedule.inventory if schedule else case.inventory


def bears_on(slot: slots.Slot, case: Case) -> bool:
    """Whether a slot could have touched the host: it was meant, or belongs, or belonged, to that schedule."""
    ahead = slot.opens_at > case.now
    return slot.schedule in case.naming if ahead else slot.schedule in case.known_to or case.host in (slot.hosts or ())


def of_slot(connection: Transaction, slot: slots.Slot, case: Case) -> Chance:
    """What became of the host in one slot."""
    run = runs.get(connection, slot.run_id) if slot.run_id else None
    told: tuple[str, str | None, str]
    if not is_meant(slot, case):
        told = left_out_of_approval(connection, run, case) or (NOT_MEANT, HOSTS, not_meant_in_words(slot, case))
    elif run:
        told = in_run(connection, run, case)
    elif slot.state is SlotState.SETTLED:
        told = without_run(connection, slot)
    else:
        told = still_open(connection, slot, case)
    outcome, guard, cause = told
    number = run.number if run else None
    return Chance(slot.opens_at, slot.schedule, "", outcome, guard, cause, number, case.next.get(slot.schedule))


def is_meant(slot: slots.Slot, case: Case) -> bool:
    """Whether the slot meant the host: by the list that was kept when it opened, or, without one, by what the schedule names now."""
    return slot.schedule in case.naming if slot.hosts is None else case.host in slot.hosts


def left_out_of_approval(
    connection: Transaction, run: runs.Run | None, case: Case
) -> tuple[str, str | None, str] | None:
    """Whether the host came after somebody had approved the run's hosts, so that the run left it out."""
    approval = approvals.get(connection, run.approval_id) if run and run.approval_id else None
    if run is None or approval is None or run.schedule not in case.naming or case.host in approval.hosts:
        return None
    return NOT_MEANT, APPROVAL, f"left out: not among the hosts that {approval.by} approved; it came since"


def not_meant_in_words(slot: slots.Slot, case: Case) -> str:
    """Whether the host came later, or left."""
    schedule = case.definitions.schedules.get(slot.schedule)
    if schedule is None:
        return "the schedule did not name this host, and is gone since"
    if slot.schedule in case.naming:
        return f"the pattern {schedule.hosts!r} did not name this host when the slot opened; it does now"
    gone = "" if case.host in case.answer.hosts else ", and is no longer in the inventory"
    return f"this host has left the schedule's pattern {schedule.hosts!r}{gone}"


def in_run(connection: Transaction, run: runs.Run, case: Case) -> tuple[str, str | None, str]:
    """Outcome, guard and cause of the host in a run."""
    row = next((each for each in outcomes.of_run(connection, run.id) if each.host == case.host), None)
    if row is None:
        return GOING, None, f"run {run.number} is going on"
    told = outcome_in_words(row.result), guard_of(row.result), cause_of(row, run)
    waited = holds.up_to(connection, run.schedule, run.id, run.ended_at or case.now)
    if row.result.reason is NotRun.CUTOFF and waited:
        return told[0], waited[0].guard, f"{told[2]} Up to then the run had waited: {waited[0].reason}"
    return told


def ended_well(connection: Transaction, run: runs.Run, case: Case) -> bool:
    """Whether the run is through with the host, and nothing was wrong there."""
    rows = outcomes.of_run(connection, run.id)
    return any(row.host == case.host and row.result.result.is_good for row in rows)


def guard_of(result: HostResult) -> str | None:
    """What said no to the host, if something did."""
    return GUARD_OF_HOST.get(result.reason) if result.reason else None


def cause_of(row: outcomes.HostOutcome, run: runs.Run) -> str:
    """Why the host ended so, in plain words."""
    result = row.result
    if result.result.is_good:
        return "done as planned" + (f"; {count(len(row.packages), 'package')} changed" if row.packages else "")
    words = words_for(row, run.plan.services.get(row.host, ""))
    left_out = WHY_NOT_RUN[result.reason] if result.reason and result.result is Result.NOT_RUN else ""
    return " ".join(part for part in (left_out, words) if part) or result.text or run.reason


def without_run(connection: Transaction, slot: slots.Slot) -> tuple[str, str | None, str]:
    """Outcome, guard and cause of a slot that never became a run."""
    outcome = slot.outcome or ""
    heard = [hold.guard for hold in holds.of_slot(connection, slot.id) if hold.reason == slot.reason]
    held = next(iter(heard), None) if outcome == SlotOutcome.HELD else None
    return outcome, GUARD_OF_SLOT.get(outcome, held), slot.reason


def still_open(connection: Transaction, slot: slots.Slot, case: Case) -> tuple[str, str | None, str]:
    """Outcome, guard and cause of a slot that may still become a run."""
    if slot.opens_at > case.now:
        frozen = f"change freeze {', '.join(slot.frozen_by)}"
        if slot.id in case.waiting and not slot.is_frozen:
            return PLANNED, APPROVAL, f"{NOT_OPEN}, and {case.waiting[slot.id]}"
        return (PLANNED, FREEZE, frozen) if slot.is_frozen else (PLANNED, None, NOT_OPEN)
    heard = holds.of_slot(connection, slot.id)
    last = max(heard, key=lambda hold: hold.last_seen, default=None)
    return (DUE, last.guard, last.reason) if last else (DUE, None, "nobody has looked at it yet")


def of_hand(connection: Transaction, case: Case) -> Iterator[Chance]:
    """The runs without a slot since then that meant the host; of those on a cadence, which are many, and of looks ahead only where it did not end well."""
    for run in runs.going_between(connection, case.since, None):
        if run.slot_id is None and run.inventory == case.inventory and case.host in run.plan.hosts:
            if run.trigger in TOLD_IF_BAD and ended_well(connection, run, case):
                continue
            outcome, guard, cause = in_run(connection, run, case)
            checked = " (check mode, nothing was changed)" if run.check_mode else ""
            checked = " (a look ahead of the slot, nothing was changed)" if run.plan.readiness else checked
            following = case.next.get(run.schedule)
            by = "" if run.trigger in TOLD_IF_BAD else str(run.requested_by)
            yield Chance(run.created_at, run.schedule, by, outcome, guard, cause + checked, run.number, following)


def notes_of(case: Case, *, site: Site) -> Iterator[str]:
    """What no slot can tell: what names the host, what it owes, and what pauses it."""
    yield from case.answer.errors
    if case.host not in case.answer.hosts and not case.answer.errors:
        yield f"{case.host} is not in inventory {case.inventory!r} now."
    if site.store.read(partial(is_retired, case=case)):
        yield f"{case.host} is retired."
    yield from naming_in_words(case)
    for debt in site.store.read(debts.every):
        if (debt.inventory, debt.host) == (case.inventory, case.host):
            yield f"It owes {debt.schedule} a run since {debt.since:%Y-%m-%d}; it comes first after the next canary."
    for pause in pauses_at(case.now, site=site):
        if not pause.hosts or case.host in matching(pause.hosts, case.answer):
            yield f"{pause.words[:1].upper()}{pause.words[1:]}"


def is_retired(connection: Transaction, *, case: Case) -> bool:
    """Whether somebody said that the host is gone for good."""
    return case.host in inventories.retired(connection, case.inventory)


def naming_in_words(case: Case) -> Iterator[str]:
    """Schedules that name the host and have no slots; and the way out when none names it."""
    for name in sorted(case.naming):
        schedule = case.definitions.schedules[name]
        if not schedule.enabled:
            yield f"Schedule {name} names it and is switched off: enabled in {schedule.source}."
        elif schedule.every:
            yield f"Schedule {name} names it and runs every {describe(schedule.every)}; it changes nothing. All its runs: wellkept runs list --schedule {name}"
        elif schedule.window.is_always:
            yield f"Schedule {name} names it and has no window, so that it starts only by hand: wellkept run {name}"
    if not case.naming:
        yield (
            "No schedule names it, so nothing will touch it. Put it into a group that a schedule's `hosts:` names, or write a schedule for it "
            "(schedules/README.md). `wellkept plan` shows which hosts each schedule names."
        )
