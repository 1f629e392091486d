"""Alerts of the monitoring outside: which hosts each is about, and whether one stands in the way of a run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from runner.domain.execution.guards import ALERTS, Hold

NAMES_A_HOST = ("instance", "host", "hostname", "node", "nodename")  # labels, as exporters and rules commonly have them
ADDRESSES = ("ansible_host", "ansible_ssh_host")
NAMED = 5  # alerts that a hold tells
Variables = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert that fires now; `labels` say what it is about."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


def hold_for_alerts(alerts: Sequence[Alert], hosts: Mapping[str, Variables], *, ignore: Collection[str]) -> Hold | None:
    """Hold while an alert fires for one of these hosts; one that names none of them, and one to be ignored, are passed over."""
    about = {(alert.name, host) for alert in alerts if alert.name not in ignore for host in hosts_of(alert, hosts)}
    if not about:
        return None
    told = [f"{name} ({host})" for name, host in sorted(about)]
    more = f" and {len(told) - NAMED} more" if len(told) > NAMED else ""
    return Hold(ALERTS, f"alerts fire for its hosts: {', '.join(told[:NAMED])}{more}")


def hosts_of(alert: Alert, hosts: Mapping[str, Variables]) -> frozenset[str]:
    """Those of the hosts that an alert names, by the name or the address that they have in the inventory."""
    named = {bare(alert.labels[label]) for label in NAMES_A_HOST if alert.labels.get(label)}
    return frozenset(
        host
        for host, variables in hosts.items()
        if any(is_same(mine, theirs) for mine in names_of(host, variables) for theirs in named)
    )


def names_of(host: str, variables: Variables) -> set[str]:
    """The name and the addresses of a host."""
    return {host.lower(), *(str(variables[key]).lower() for key in ADDRESSES if variables.get(key))}


def is_same(mine: str, theirs: str) -> bool:
    """Whether two names are one host's: alike, or one is the other without its domain."""
    return mine == theirs or theirs.startswith(f"{mine}.") or mine.startswith(f"{theirs}.")


def bare(label: str) -> str:
    """The host in a label: without the port of an instance, and without what else an address of a page has."""
    text = label.strip().lower()
    try:
        return urlsplit(text if "://" in text else f"//{text}").hostname or text
    except ValueError:
        return text
