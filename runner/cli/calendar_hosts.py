"""What `wellkept calendar --hosts` says below the table."""

from __future__ import annotations

from collections import Counter

from runner.cli.answers import say
from runner.errors import count
from runner.operations.time.look_at_hosts import HostsLookedAt, named


def tell_hosts(seen: HostsLookedAt) -> None:
    """Warnings about hosts, each kind with its own heading; a sentence when there are none."""
    for heading, lines in (
        ("Schedules that meet on a host:", meetings(seen)),
        ("Hosts that no schedule covers:", [f"{host.host} ({host.inventory})" for host in seen.uncovered_hosts]),
        ("Services that are upgraded more rarely than boundaries: upgrade_at_least wants:", rarities(seen)),
        ("Inventories that could not be read; nothing is known about their hosts:", list(seen.unread)),
    ):
        if lines:
            say("\n".join(["", heading, *(f"  {line}" for line in lines)]))
    if seen == HostsLookedAt():
        say("\nNo two schedules meet on a host, and every host is covered.")


def meetings(seen: HostsLookedAt) -> list[str]:
    """One line for every two schedules, with their hosts and how often they meet."""
    often = Counter((each.schedules[0], each.schedules[1], named(each.hosts)) for each in seen.collisions)
    return [
        f"{first} and {second}, {count(number, 'time')}, on {hosts}" for (first, second, hosts), number in often.items()
    ]


def rarities(seen: HostsLookedAt) -> list[str]:
    """One line for every service and kind of upgrade."""
    return [
        f"{each.title} ({each.service}), {each.kind} every {each.at_least}: {named(each.hosts)}"
        for each in seen.rare_upgrades
    ]
