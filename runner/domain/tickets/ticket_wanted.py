"""What deserves a person's attention after a run: one ticket per trouble, and one for many hosts that share it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from runner.domain.execution.outcome import HostResult, NotRun, Result
from runner.domain.execution.run import Verdict
from runner.domain.tickets.cause import CauseClass, PlainWords, package_in, short_module, words
from runner.domain.tickets.fingerprint import fingerprint, normalise
from runner.domain.tickets.ticket import (
    Level,
    Priority,
    RunFacts,
    TicketKind,
    WantedTicket,
    is_unchecked,
    priority_of,
    raised,
)
from runner.domain.tickets.ticket_for_debt import GROUP, overdue_hosts, ticket_for_debt
from runner.domain.tickets.ticket_for_review import ticket_for_review

MANY_HOSTS = 5
MANY_SHARE = 0.3
AT_LEAST = 2  # one host alone is never a group, however small the run

MAY_BE_DOWN = frozenset(  # something that worked before may not work now, or nobody can tell
    {
        CauseClass.LOST_AFTER_REBOOT,
        CauseClass.SERVICE_DID_NOT_START,
        CauseClass.POST_CHECK_FAILED,
        CauseClass.HOST_KEY_CHANGED,
        CauseClass.UNREACHABLE,
    }
)
CAN_WAIT = frozenset(
    {
        CauseClass.PACKAGE_LOCK,
        CauseClass.REPOSITORY,
        CauseClass.DNS,
        CauseClass.TEMPLATE_OR_VARIABLE,
        CauseClass.CANCELLED_BY_US,
    }
)
OF_THE_CONNECTION = frozenset({CauseClass.UNREACHABLE, CauseClass.LOGIN_REFUSED, CauseClass.HOST_KEY_CHANGED})
OF_THE_HOST = frozenset(  # one trouble of the host, whichever step of whichever schedule meets it first
    {CauseClass.DISK_FULL, CauseClass.MEMORY, CauseClass.PACKAGE_LOCK, CauseClass.PACKAGE_BROKEN}
)
NAMED_BY_CLASS = (
    OF_THE_CONNECTION
    | {  # the class says it all; the message differs from time to time for the same trouble
        CauseClass.PACKAGE_LOCK,
        CauseClass.DISK_FULL,
        CauseClass.MEMORY,
        CauseClass.DNS,
        CauseClass.LOST_AFTER_REBOOT,
        CauseClass.TIME_OUT,
        CauseClass.CANCELLED_BY_US,
    }
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One host's bad outcome: what it is known by, and the place where success would prove that it is gone."""

    outcome: HostResult
    kind: TicketKind
    cause: CauseClass
    signature: str
    playbook: str = ""
    role: str = ""
    task: str = ""
    module: str = ""

    def fingerprint(self, *, inventory: str, scope: str) -> str:
        """The fingerprint of this trouble on one host, or (scope `*`) on a group of hosts; trouble of the host itself leaves out where it was met."""
        if self.cause in OF_THE_HOST:
            return fingerprint(inventory=inventory, kind=TicketKind.FAILED, signature=self.signature, scope=scope)
        return fingerprint(
            inventory=inventory,
            playbook=self.playbook,
            role=self.role,
            task=self.task,
            module=self.module,
            kind=self.kind,
            signature=self.signature,
            scope=scope,
        )


def urgency_of(kind: TicketKind, cause: CauseClass | None) -> Level:
    """How soon a trouble may hurt somebody."""
    if kind is TicketKind.IN_DOUBT or (cause in MAY_BE_DOWN and kind is not TicketKind.PRE_CHECK):
        return Level.HIGH
    return Level.LOW if cause in CAN_WAIT else Level.MEDIUM


def tickets_for(run: RunFacts, outcomes: Mapping[str, HostResult]) -> tuple[WantedTicket, ...]:
    """Every ticket that a settled run asks for, worst first; a run in check mode asks for none.

    Hosts that were left out for time, a lock, a stop or a freeze get none, as they come again in the next window, until that was so for too long.
    """
    if run.check_mode:
        return ()
    groups: dict[str, list[Trouble]] = {}
    for trouble in filter(None, (trouble_of(outcome, run) for outcome in outcomes.values())):
        groups.setdefault(trouble.fingerprint(inventory=run.inventory, scope=GROUP), []).append(trouble)
    spared = sum(outcome.reason is NotRun.BUDGET for outcome in outcomes.values())
    wanted = [
        ticket
        for group in groups.values()
        for ticket in group_tickets(group, run, planned=len(outcomes), spared=spared)
    ]
    wanted += overdue_tickets(run, outcomes)
    return tuple(sorted([*run_tickets(run, outcomes), *wanted], key=lambda t: -list(Priority).index(t.priority)))


def overdue_tickets(run: RunFacts, outcomes: Mapping[str, HostResult]) -> list[WantedTicket]:
    """A ticket for each host that is owed its work for too long, or one for many."""
    hosts = overdue_hosts(run, outcomes)
    if is_many(len(hosts), planned=len(outcomes)):
        return [ticket_for_debt(run, hosts, outcomes, scope=GROUP)]
    return [ticket_for_debt(run, [host], outcomes, scope=host) for host in hosts]


def trouble_of(outcome: HostResult, run: RunFacts) -> Trouble | None:
    """What is wrong with a host that a person should know of; None when nothing is, or when it only has to wait."""
    cause = cause_of(outcome)
    kind = kind_of(outcome, cause)
    if kind is None:
        return None
    if cause in OF_THE_CONNECTION:  # the same whoever notices it, and whoever gets through proves that it is gone
        return Trouble(outcome, TicketKind.UNREACHABLE, cause, signature_of(outcome, cause))
    return Trouble(
        outcome,
        kind,
        cause,
        signature_of(outcome, cause),
        run.playbook,
        outcome.role,
        outcome.task,
        short_module(outcome.module),
    )


def signature_of(outcome: HostResult, cause: CauseClass) -> str:
    """What tells this trouble from another of its class: nothing more, the package that is blamed, or the message."""
    if cause in NAMED_BY_CLASS:
        return cause
    if cause is CauseClass.PACKAGE_BROKEN and (package := package_in(outcome.text)):
        return f"{cause} {package}"
    return outcome.signature or normalise(outcome.text, outcome.host)


def cause_of(outcome: HostResult) -> CauseClass:
    """The cause class of an outcome; unknown when it carries none that we know."""
    return CauseClass(outcome.cause) if outcome.cause in set(CauseClass) else CauseClass.UNKNOWN


def kind_of(outcome: HostResult, cause: CauseClass) -> TicketKind | None:
    """The kind of ticket that an outcome asks for, if any."""
    if is_unchecked(outcome):
        return None  # one trouble of the instructions, whichever hosts it left unchecked: the run's own ticket tells it
    match outcome.result:
        case Result.FAILED if cause is CauseClass.POST_CHECK_FAILED:
            return TicketKind.POST_CHECK
        case Result.FAILED:
            return TicketKind.FAILED
        case Result.UNREACHABLE:
            return TicketKind.UNREACHABLE
        case Result.IN_DOUBT:
            return TicketKind.IN_DOUBT
        case Result.NOT_RUN if outcome.reason is NotRun.PRE_CHECK:
            return TicketKind.PRE_CHECK
    return None


def is_many(hosts: int, *, planned: int) -> bool:
    """Whether so many hosts of a run share a cause that one ticket should speak for all of them."""
    return hosts >= MANY_HOSTS or (hosts >= AT_LEAST and hosts >= MANY_SHARE * planned)


def group_tickets(group: Sequence[Trouble], run: RunFacts, *, planned: int, spared: int) -> list[WantedTicket]:
    """One ticket for a trouble that many hosts share, else one per host."""
    if is_many(len(group), planned=planned):
        return [wanted_ticket(group, run, spared=spared, scope=GROUP)]
    return [wanted_ticket([trouble], run, spared=spared, scope=trouble.outcome.host) for trouble in group]


def wanted_ticket(group: Sequence[Trouble], run: RunFacts, *, spared: int, scope: str) -> WantedTicket:
    """The ticket for one trouble on one host, or on all hosts of a group."""
    first = group[0]
    hosts = tuple(trouble.outcome.host for trouble in group)
    plain = words(
        first.cause,
        host=hosts[0] if len(hosts) == 1 else f"a group of {len(hosts)} servers",
        service=services_of(hosts, run.services),
        package=package_in(first.outcome.text),
        touched=any(trouble.outcome.touched for trouble in group),
        untouched=spared,
        own=first.outcome.own_words,
    )
    plain = replace(plain, done=" ".join(filter(None, (plain.done, rolled_back(group, run)))))
    return WantedTicket(
        fingerprint=first.fingerprint(inventory=run.inventory, scope=scope),
        kind=first.kind,
        cause=first.cause,
        priority=priority_of(raised(run.impact) if scope == GROUP else run.impact, urgency_of(first.kind, first.cause)),
        title=plain.happened.rstrip("."),
        inventory=run.inventory,
        schedule=run.schedule,
        hosts=hosts,
        words=plain,
        owner=run.owner,
        playbook=first.playbook,
        role=first.role,
        task=first.task,
        module=first.module,
        detail=first.outcome.text,
        group="" if scope == GROUP else first.fingerprint(inventory=run.inventory, scope=GROUP),
    )


def rolled_back(group: Sequence[Trouble], run: RunFacts) -> str:
    """What was taken back on these hosts, in a sentence or two; nothing where the run had nothing to do it with."""
    touched = [trouble.outcome.host for trouble in group if trouble.outcome.touched]
    if not run.rollback or not touched:
        return ""
    well = [host for host in touched if run.rollbacks.get(host)]
    badly = [host for host in touched if run.rollbacks.get(host) is False]
    left = [host for host in touched if host not in run.rollbacks]
    return " ".join(
        sentence.format(hosts=", ".join(hosts))
        for hosts, sentence in ((well, BACK), (badly, NOT_BACK), (left, LEFT_AS_IT_IS))
        if hosts
    )


BACK = "We rolled back {hosts}."
NOT_BACK = "The rollback of {hosts} failed."
LEFT_AS_IT_IS = "{hosts}: not rolled back, or not to the end."


def services_of(hosts: Sequence[str], services: Mapping[str, str]) -> str:
    """The names of what these hosts are for, each once: "the web shop and the payroll"."""
    names = list(dict.fromkeys(services[host] for host in hosts if services.get(host)))
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def run_tickets(run: RunFacts, outcomes: Mapping[str, HostResult]) -> list[WantedTicket]:
    """The tickets about the run as a whole: its instructions are wrong, its end was never heard, it is to be reviewed, or its record has a hole."""
    wanted = configuration_tickets(run, outcomes)
    if run.verdict is Verdict.EXPIRED:
        wanted.append(run_ticket(run, TicketKind.EXPIRED, tuple(outcomes), END_NOT_HEARD))
    if run.emergency:
        wanted.append(ticket_for_review(run, tuple(outcomes)))
    if run.record_incomplete:
        wanted.append(run_ticket(run, TicketKind.RECORD, tuple(outcomes), RECORD_HAS_A_HOLE))
    return wanted


def configuration_tickets(run: RunFacts, outcomes: Mapping[str, HostResult]) -> list[WantedTicket]:
    """The one ticket about the schedule's instructions, if they are wrong: the worst that they did is what it tells."""
    unchecked = tuple(host for host, outcome in outcomes.items() if is_unchecked(outcome))
    stopped = tuple(host for host, outcome in outcomes.items() if outcome.reason is NotRun.CONFIGURATION)
    left_out = tuple(host for host, outcome in outcomes.items() if outcome.reason is NotRun.NOT_IN_PLAYBOOK)
    kind = TicketKind.CONFIGURATION
    if unchecked:
        cause = CauseClass.CHECK_NOT_RUN
        return [run_ticket(run, kind, unchecked, NOT_CHECKED, cause=cause, urgency=Level.HIGH)]
    if run.verdict is Verdict.MISCONFIGURED:
        return [run_ticket(run, kind, tuple(outcomes), COULD_NOT_START)]
    if stopped:
        return [run_ticket(run, kind, stopped, COULD_NOT_GO_ON)]
    return [run_ticket(run, kind, left_out, NOT_IN_THE_INSTRUCTIONS)] if left_out else []


def run_ticket(
    run: RunFacts,
    kind: TicketKind,
    hosts: tuple[str, ...],
    template: PlainWords,
    *,
    cause: CauseClass | None = None,
    urgency: Level = Level.MEDIUM,
) -> WantedTicket:
    """A ticket whose scope is the schedule."""
    names = {"title": run.title, "number": run.number, "count": len(hosts), "hosts": ", ".join(hosts)}
    plain = PlainWords(
        *(text.format_map(names) for text in (template.happened, template.means, template.done, template.needed))
    )
    return WantedTicket(
        fingerprint=fingerprint(
            inventory=run.inventory,
            playbook=run.playbook,
            kind=kind,
            signature=run.id if kind is TicketKind.RECORD else "",
            scope=f"schedule:{run.schedule}",
        ),
        kind=kind,
        cause=cause,
        priority=priority_of(run.impact, urgency),
        title=plain.happened.rstrip("."),
        inventory=run.inventory,
        schedule=run.schedule,
        hosts=hosts,
        words=plain,
        owner=run.owner,
        playbook=run.playbook,
        detail=run.reason,
    )


COULD_NOT_START = PlainWords(
    'The planned work "{title}" could not be started: its instructions are wrong or incomplete.',
    "None of its {count} servers was touched; the work is still to be done.",
    "We stopped before anything was changed.",
    "The team that writes the instructions has to correct them before the next date.",
)
COULD_NOT_GO_ON = PlainWords(
    'The planned work "{title}" could not go on: some of its instructions are wrong or incomplete.',
    "The work on {count} of its servers is still to be done.",
    "We stopped before any of these was changed; the report of run {number} says what was done on the others.",
    "The team that writes the instructions has to correct them before the next date.",
)
NOT_CHECKED = PlainWords(
    'The check after the planned work "{title}" could not be made on {hosts}: its instructions are wrong or incomplete.',
    "The work was done on {count} of the servers, and nobody has looked yet whether all is well there.",
    "We stopped and touched no further server.",
    "Somebody has to look at these servers now, and the team that writes the instructions has to correct the check.",
)
NOT_IN_THE_INSTRUCTIONS = PlainWords(
    'The instructions of "{title}" do not mention {count} of the servers that they were planned for: {hosts}.',
    "Nothing was done on these servers, though the plan says that something should be.",
    "We changed nothing there.",
    "The team that writes the instructions has to correct either the plan or the instructions.",
)
END_NOT_HEARD = PlainWords(
    'The planned work "{title}" was interrupted, and we did not hear how it ended before its agreed time was over.',
    "For some servers it is not known how far the work came; the report of run {number} says which.",
    "We started nothing further and kept what is known.",
    "Somebody has to look at the servers of run {number} that are marked as in doubt.",
)
RECORD_HAS_A_HOLE = PlainWords(
    'The record of the planned work "{title}" (run {number}) is not complete: some of what happened was not written down.',
    "The work itself may be in order, but this record can't prove it.",
    "We marked the run, so that no report counts it as fully proved.",
    "Somebody has to find out why the record has a hole, and note what is known of the missing part.",
)
MISSED = PlainWords(
    'The planned work "{title}" of {date} did not take place: {reason}.',
    "What it should have done is still to be done; nothing was changed on any server.",
    "We did not start it late, outside the agreed time.",
    "Somebody has to remove what stood in the way, and decide whether the next regular date is soon enough.",
)


def ticket_for_missed_slot(
    *,
    schedule: str,
    title: str,
    inventory: str,
    date: str,
    reason: str,
    hosts: Sequence[str] = (),
    impact: str = "medium",
    owner: str | None = None,
) -> WantedTicket:
    """The ticket for a slot that passed without a run; `date` is its rule date. Several misses of one schedule in a row are one ticket."""
    names = {"title": title, "date": date, "reason": reason.rstrip(".")}
    plain = PlainWords(MISSED.happened.format_map(names), MISSED.means, MISSED.done, MISSED.needed)
    return WantedTicket(
        fingerprint=fingerprint(inventory=inventory, kind=TicketKind.MISSED, scope=f"schedule:{schedule}"),
        kind=TicketKind.MISSED,
        cause=None,
        priority=priority_of(impact, Level.MEDIUM),
        title=plain.happened.rstrip("."),
        inventory=inventory,
        schedule=schedule,
        hosts=tuple(hosts),
        words=plain,
        owner=owner,
        detail=reason,
    )
