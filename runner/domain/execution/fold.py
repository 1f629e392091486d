"""Folds the events of one piece into one result per host; it remembers per host, never per event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from runner.domain.execution.outcome import Event, EventKind, HostResult, NotRun, Result
from runner.domain.execution.run import Stage
from runner.domain.execution.under_way import UnderWay
from runner.domain.tickets.cause import OURS, CauseClass, CauseTable
from runner.domain.tickets.fingerprint import normalise

LOOKS_ONLY = {"setup", "gather_facts", "ansible.builtin.setup", "ansible.builtin.gather_facts"}
TASKS_NAMED = 20  # of the tasks that changed something, for people
WORDS_KEPT = 40  # lines of Ansible's own words, for a configuration error
UNHEARD = Event(
    0,
    0,
    EventKind.HOST_FAILED,
    datetime.min.replace(tzinfo=UTC),
    text="Ansible counts it among the hosts that did not end well; the event that says why was not heard",
)


@dataclass(slots=True)
class HostSoFar:
    """What was heard of one host until now."""

    touched: bool = False
    changed: bool = False
    bad: Event | None = None
    lost: Event | None = None
    started: datetime | None = None
    ended: datetime | None = None
    output: str = ""
    changing: list[str] = field(default_factory=list)


@dataclass(slots=True)
class PieceFold:
    """What a piece's events add up to; feed it with `add`, then ask."""

    hosts: tuple[str, ...]
    stage: Stage
    causes: CauseTable = OURS
    heard: dict[str, HostSoFar] = field(default_factory=dict)
    stats: Mapping[str, Mapping[str, int]] | None = None
    ended: Event | None = None
    softly_stopped: bool = False
    unmatched: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    under_way: UnderWay = field(default_factory=UnderWay)
    last_counter: int = 0
    gap: bool = False

    def add(self, event: Event) -> None:
        """Take one event in, in the order of the spool."""
        self.watch_counter(event)
        self.under_way.take(event)
        if event.host:
            add_to_host(self.heard.setdefault(event.host, HostSoFar()), event)
            return
        match event.kind:
            case EventKind.STATS:
                self.stats = event.stats
            case EventKind.END:
                self.ended = event
            case EventKind.NO_HOSTS:
                self.unmatched = [*dict.fromkeys([*self.unmatched, event.play or event.text])]
            case EventKind.SOFT_STOP:
                self.softly_stopped = True
            case EventKind.NOTE if event.text:
                self.words = [*self.words, event.text][-WORDS_KEPT:]

    def watch_counter(self, event: Event) -> None:
        """Our own numbers must follow each other; a hole means that an event was lost between spool and reader."""
        self.gap = self.gap or event.number != self.last_counter + 1
        self.last_counter = event.number

    @property
    def complete(self) -> bool:
        """Whether nothing is missing: no gap, the final play stats, and the executor's own last line."""
        return not self.gap and self.stats is not None and self.ended is not None

    @property
    def problem(self) -> str | None:
        """Ansible's own words when it ended without doing anything on any host; None otherwise, also when it was killed: that is nobody's mistake."""
        if self.ended is None or self.stats or self.heard or self.ended.status == "successful":
            return None
        if self.ended.exit_code is None:  # ended by a signal
            return None
        return "\n".join(self.words) or f"Ansible ended with exit code {self.ended.exit_code} before it reached a host"

    def results(self) -> dict[str, HostResult]:
        """One result for every planned host whose end is known."""
        found = {host: self.result_of(host) for host in self.hosts}
        return {host: result for host, result in found.items() if result is not None}

    def result_of(self, host: str) -> HostResult | None:
        """How one host ended; None when its end was not heard."""
        so_far = self.heard.get(host, HostSoFar())
        recap = self.stats.get(host) if self.stats is not None else None
        if counts(so_far.lost, recap, "unreachable"):
            return self.ill(host, so_far, so_far.lost or UNHEARD, Result.UNREACHABLE)
        if counts(so_far.bad, recap, "failures"):
            return self.ill(host, so_far, so_far.bad or UNHEARD, Result.FAILED)
        if self.stats is None or self.softly_stopped:
            return None
        if not recap:
            return HostResult(
                host,
                Result.NOT_RUN,
                touched=False,
                reason=NotRun.NOT_IN_PLAYBOOK,
                text="no play of the playbook names this host",
            )
        changed = so_far.changed or bool(recap.get("changed", 0))
        return HostResult(
            host,
            Result.CHANGED if changed else Result.OK,
            so_far.touched,
            text="; ".join(so_far.changing),
            started=so_far.started,
            ended=so_far.ended,
        )

    def ill(self, host: str, so_far: HostSoFar, event: Event, result: Result) -> HostResult:
        """A bad result with its cause class and the signature that its ticket is known by."""
        rule = self.causes.rule_for(
            result=result, text=event.text, module=event.module, task=event.task, stage=self.stage
        )
        return HostResult(
            host=host,
            result=result,
            touched=so_far.touched,
            cause=str(rule.cause if rule else CauseClass.UNKNOWN),
            cause_rules=self.causes.version,
            own_words=rule.words if rule else None,
            text=event.text,
            signature=normalise(event.text, host),
            task=event.task,
            module=event.module,
            role=event.role,
            started=so_far.started,
            ended=so_far.ended,
        )


def counts(heard: Event | None, recap: Mapping[str, int] | None, kind: str) -> bool:
    """Whether bad news counts: Ansible's recap decides once it is there (a rescued failure is none), also over news that we never heard."""
    return bool(recap.get(kind, 0)) if recap else heard is not None


def add_to_host(so_far: HostSoFar, event: Event) -> None:
    """Take in one event of one host."""
    so_far.started = so_far.started or event.at
    so_far.ended = event.at
    if event.kind is EventKind.HOST_UNREACHABLE:
        so_far.lost = event
    elif event.kind is EventKind.HOST_FAILED and not event.ignored:
        so_far.bad = event
    if event.kind in {EventKind.HOST_OK, EventKind.HOST_FAILED} and event.module not in LOOKS_ONLY:
        so_far.touched = True
        so_far.changed = so_far.changed or event.changed
        if event.changed and event.task not in so_far.changing and len(so_far.changing) < TASKS_NAMED:
            so_far.changing.append(event.task)
        so_far.output = event.output or so_far.output


def timed_out(hosts: Iterable[str], known: Mapping[str, HostResult]) -> dict[str, HostResult]:
    """The hosts whose end was not heard when a piece was ended at its time limit."""
    text = "the time limit was reached before this host was done"
    return {
        host: HostResult(host, Result.FAILED, cause=str(CauseClass.TIME_OUT), text=text, signature=text)
        for host in hosts
        if host not in known
    }


def cut_off(hosts: Iterable[str], known: Mapping[str, HostResult]) -> dict[str, HostResult]:
    """The hosts whose end was not heard when a piece was cancelled: they were touched, and what was begun there may have gone on."""
    text = "the work was cancelled before this host was done"
    return {
        host: HostResult(host, Result.IN_DOUBT, cause=str(CauseClass.CANCELLED_BY_US), text=text, signature=text)
        for host in hosts
        if host not in known
    }
