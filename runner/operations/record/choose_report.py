"""Finds the report that a person means: one that the files define, or an edition as it is; with the hosts that it is about."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from runner.domain.report import Edition, Period, ReportDefinition
from runner.domain.settings import Definitions, Service
from runner.domain.time.period import parse_period
from runner.errors import NotFound, Unknown, UsageError
from runner.operations.check_health import matching
from runner.operations.describe_hosts import Inventories
from runner.reporting.material import Scope

DEFAULT_PERIOD = "last_month"


def report_named(name: str, definitions: Definitions) -> ReportDefinition:
    """The report of that name, else the edition; raises NotFound with the nearest."""
    if name in definitions.reports:
        return definitions.reports[name]
    if name in set(Edition):
        return ReportDefinition(name, Edition(name), DEFAULT_PERIOD)
    known = [*definitions.reports, *Edition]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {str(near[0])!r}?" if near else f"There are {', '.join(map(str, known))}."
    raise NotFound(f"There is no report and no edition {name!r}. {hint}")


def period_named(words: str, *, now: datetime, zone: ZoneInfo) -> Period:
    """The period that the words mean today in that zone; raises UsageError with the grammar."""
    try:
        return parse_period(words, today=now.astimezone(zone).date(), zone=zone)
    except ValueError as reason:
        raise UsageError(f"--period: {reason}.") from reason


def scope_of(report: ReportDefinition, definitions: Definitions, among: Inventories) -> Scope | None:
    """The hosts of the services that a report is about; None for everything. Raises Unknown when an inventory cannot be read."""
    if not report.services:
        return None
    services = [definitions.settings.services[name] for name in report.services]
    hosts = frozenset(pair for service in services for pair in hosts_of(service, among))
    return Scope(", ".join(service.title for service in services), hosts)


def hosts_of(service: Service, among: Inventories) -> Iterator[tuple[str, str]]:
    """Each (inventory, host) that a service is on."""
    default = among.settings.default_inventory
    for name in among.names(service.inventory or default):
        answer = among.read(name)
        if answer.errors:
            raise Unknown(
                f"Inventory {name!r} cannot be read, so the report's hosts are not known: {'; '.join(answer.errors)}"
            )
        yield from ((name, host) for host in matching(service.hosts, answer))
