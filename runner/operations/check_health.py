"""Asks hosts and services how they are: now for a person, or at each check's own cadence for the daemon."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from runner.domain.execution import host_pattern
from runner.domain.execution.plan import HEALTH_PREFIX
from runner.domain.health import Check, Finding, by_severity, judge
from runner.domain.record.record import INSTALLATION
from runner.domain.settings import Definitions
from runner.domain.time.cadence import interval_at, is_due
from runner.errors import NotFound, StoreUnavailable, Unknown
from runner.operations.site import Site
from runner.operations.time.count_interval import count_interval
from runner.ports import InventoryAnswer
from runner.store import health
from runner.store.record import log as entries
from runner.store.time import cadence
from runner.store.transaction import Transaction

log = logging.getLogger(__name__)


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
            answers[check.inventory] = site.inventories.read(inventory, project=site.root)
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


def check_due(definitions: Definitions, *, site: Site) -> int:
    """Put the questions whose cadence has come round (intervals are epoch-aligned, misses are not caught up); gives how many checks were due."""
    last, now = site.store.read(cadence.last_intervals_counted), site.clock()
    forget_gone(last, definitions, site=site)
    due = [check for check in definitions.checks.values() if is_due(check.every, last.get(cadence_of(check)), now=now)]
    for each in rounds_for(due, (), definitions, site=site):
        put_round(each, site=site)
    return len(due)


def forget_gone(last: Iterable[str], definitions: Definitions, *, site: Site) -> None:
    """Expect no more rounds of checks that are gone, so that one which comes back has missed nothing."""
    kept = {cadence_of(check) for check in definitions.checks.values()}
    gone = [name for name in last if name.startswith(HEALTH_PREFIX) and name not in kept]
    if gone:
        site.store.write(partial(cadence.forget_last, schedules=gone))


def put_round(each: Round, *, site: Site) -> None:
    """Put one check to its hosts, and count its interval; whatever became of it, it is not put again before the next one."""
    began = site.clock()
    ran = ask_safely(each, site=site)
    interval = interval_at(began, each.check.every)
    site.store.write(partial(count_interval, name=cadence_of(each.check), interval=interval, began=began, ran=ran))


def ask_safely(each: Round, *, site: Site) -> bool:
    """Whether the round could be put; one check's trouble, or its inventory's, never keeps another from being put."""
    for error in each.answer.errors:
        log.warning("Health check %s: %s", each.check.name, error, extra={"action": "health.unread"})
    try:
        ask([each], site=site)
    except StoreUnavailable:
        raise
    except Exception:
        log.exception("Health check %s could not be put", each.check.name, extra={"action": "health.failed"})
        return False
    return bool(each.hosts) or not each.answer.errors


def cadence_of(check: Check) -> str:
    """The name that a check's rounds are counted by."""
    return f"{HEALTH_PREFIX}{check.name}"
