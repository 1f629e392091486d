"""Asks hosts and services how they are: now for a person, or at each check's own cadence for the daemon."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from runner.domain.execution import host_pattern
from runner.domain.health import Check, Finding, by_severity, judge
from runner.domain.record.record import INSTALLATION
from runner.domain.settings import Definitions
from runner.errors import NotFound, StoreUnavailable, Unknown
from runner.operations.site import Site
from runner.ports import InventoryAnswer
from runner.store import health
from runner.store.record import log as entries
from runner.store.transaction import Transaction

log = logging.getLogger(__name__)
Place = tuple[str, str]  # inventory and check


@dataclass(frozen=True, slots=True)
class Round:
    """One check and the hosts that it goes to."""

    check: Check
    hosts: tuple[str, ...]
    answer: InventoryAnswer


def check_health(patterns: Sequence[str], *, site: Site) -> list[Finding]:
    """Ask every host every question that the patterns name (checks by name, hosts by pattern; none means all), and record the answers, worst first."""
    definitions = site.current()
    names = [pattern for pattern in patterns if pattern in definitions.checks]
    hosts = [pattern for pattern in patterns if pattern not in definitions.checks]
    checks = [definitions.checks[name] for name in names] or list(definitions.checks.values())
    rounds = list(rounds_for(checks, hosts, definitions, site=site))
    unread = dict.fromkeys(error for each in rounds for error in each.answer.errors)
    if unread and not any(each.hosts for each in rounds):
        raise Unknown("\n".join(unread))
    if hosts and not any(each.hosts for each in rounds):
        raise NotFound(
            f"Neither a health check nor a host of one is named {', '.join(map(repr, hosts))}. `wellkept health` asks everything."
        )
    return sorted(ask(rounds, site=site), key=by_severity)


def rounds_for(
    checks: Iterable[Check], patterns: Sequence[str], definitions: Definitions, *, site: Site
) -> Iterator[Round]:
    """Which hosts each check goes to; every inventory is read once."""
    answers: dict[str, InventoryAnswer] = {}
    for check in checks:
        if check.inventory not in answers:
            inventory = definitions.settings.inventories[check.inventory]
            answers[check.inventory] = site.inventories.read(
                inventory, project=site.root, ansible=definitions.settings.ansible
            )
        answer = answers[check.inventory]
        hosts = matching(check.hosts, answer)
        wanted = {host for pattern in patterns for host in matching(pattern, answer)} if patterns else set(hosts)
        yield Round(check, tuple(host for host in hosts if host in wanted), answer)


def matching(pattern: str, answer: InventoryAnswer) -> tuple[str, ...]:
    """The hosts that an Ansible pattern names."""
    return host_pattern.match(pattern, hosts=tuple(answer.hosts), groups=answer.groups)


def ask(rounds: Iterable[Round], *, site: Site) -> list[Finding]:
    """Put the questions, and record the answers as they come in, check by check."""
    found: list[Finding] = []
    for each in rounds:
        answers = site.probe.ask(each.check, {host: each.answer.hosts[host] for host in each.hosts})
        findings = [judge(each.check, answer) for answer in answers]
        site.store.write(partial(write_findings, check=each.check, findings=findings, at=site.clock()))
        found += findings
    return found


def write_findings(connection: Transaction, *, check: Check, findings: Sequence[Finding], at: datetime) -> None:
    """Keep how each host stands, and record every change of it."""
    changes = health.record(connection, findings, at=at, down_after={check.name: check.down_after})
    bodies = [
        {
            "action": "health.changed",
            "check": change.check,
            "inventory": change.inventory,
            "host": change.host,
            "was": str(change.before) if change.before else "",
            "condition": str(change.after),
            "summary": change.summary,
        }
        for change in changes
    ]
    if bodies:
        entries.append(connection, INSTALLATION, bodies, at=at)


def check_due(definitions: Definitions, *, site: Site, asked: dict[Place, datetime]) -> int:
    """Put the questions whose cadence has come round (intervals are epoch-aligned, misses are not caught up); gives how many checks were due.

    `asked` is the caller's memory of rounds that left no row behind, for no host could be asked.
    """
    last, now = last_asked(site.store.read(health.states), asked), site.clock()
    due = [check for check in definitions.checks.values() if is_due(check, last.get(place_of(check)), now=now)]
    for each in rounds_for(due, (), definitions, site=site):
        asked[place_of(each.check)] = now
        ask_safely(each, site=site)
    return len(due)


def ask_safely(each: Round, *, site: Site) -> None:
    """One check's trouble, or its inventory's, never keeps another from being put."""
    for error in each.answer.errors:
        log.warning("Health check %s: %s", each.check.name, error, extra={"action": "health.unread"})
    try:
        ask([each], site=site)
    except StoreUnavailable:
        raise
    except Exception:
        log.exception("Health check %s could not be put", each.check.name, extra={"action": "health.failed"})


def place_of(check: Check) -> Place:
    """What tells one check's rounds from another's."""
    return check.inventory, check.name


def last_asked(states: Iterable[health.HealthState], asked: Mapping[Place, datetime]) -> dict[Place, datetime]:
    """When each check of an inventory was last put to any host, or would have been if there had been one."""
    last = dict(asked)
    for state in states:
        place = (state.inventory, state.check)
        last[place] = max(state.last_at, last.get(place, state.last_at))
    return last


def is_due(check: Check, last: datetime | None, *, now: datetime) -> bool:
    """Whether a new interval of this check has begun since it was last asked."""
    return last is None or interval_of(now, check.every) > interval_of(last, check.every)


def interval_of(instant: datetime, every: timedelta) -> int:
    """The number of the interval that an instant lies in, counted from the Unix epoch."""
    return int(instant.timestamp() // every.total_seconds())
