"""What only the hosts can tell about the calendar: who meets whom, whom nobody covers, and whose upgrades are rare."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.config import read
from runner.domain.settings import Inventory
from runner.operations.time.find_rare_upgrades import RareUpgrade
from runner.operations.time.inventoried import read_inventories
from runner.operations.time.list_openings import list_openings
from runner.operations.time.look_at_hosts import (
    Collision,
    HostsLookedAt,
    UncoveredHost,
    look_at_hosts,
    with_collisions,
)
from runner.ports import InventoryAnswer

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FROM, TO = datetime(2026, 3, 20, tzinfo=UTC), datetime(2026, 3, 23, tzinfo=UTC)
SETTINGS = """\
format: 1
organisation: Example Ltd
defaults: {{inventory: production, owner: ops, timezone: UTC}}
inventories: {{production: {{source: "a,b"}}}}
teams: {{ops: {{members: []}}}}
services: {{shop: {{title: the web shop, hosts: web}}, office: {{title: the office, hosts: switches}}}}
boundaries: {{upgrade_at_least: {{{bounds}}}}}
"""
WINDOWS = """\
windows:
  saturday-night: {day: saturday, start: "22:00", until: "04:00"}
  early-sunday: {day: sunday, start: "03:00", until: "06:00"}
  first-sunday: {day: first sunday, start: "03:00", until: "06:00"}
  spring: {day: first sunday, months: [mar, apr], start: "03:00", until: "06:00"}
"""
PATCH = "playbook: play.yml\nwhy: x\nhosts: web\nwindow: saturday-night\n"
CLEAN = "playbook: play.yml\nwhy: x\nhosts: web-02:db\nwindow: early-sunday\n"


class Answers:
    """Four servers and a switch, or an inventory that cannot be read."""

    def __init__(self, *errors: str) -> None:
        self.errors = errors

    def read(self, inventory: Inventory, *, project: Path) -> InventoryAnswer:
        hosts = {name: {} for name in ("web-01", "web-02", "db-01", "spare")} | {
            "switch-01": {"ansible_connection": "ansible.netcommon.network_cli"}
        }
        groups = {"web": ("web-01", "web-02"), "db": ("db-01",), "switches": ("switch-01",)}
        return InventoryAnswer(hosts, groups, self.errors)

    def may_change(self, inventory: Inventory, *, project: Path) -> bool:
        return False


def look(
    root: Path, *errors: str, bounds: str = "", windows: str = WINDOWS, **schedules: str
) -> tuple[HostsLookedAt, list[str]]:
    """What is seen, and the openings with their notes."""
    (root / "schedules").mkdir()
    (root / "wellkept.yml").write_text(SETTINGS.format(bounds=bounds))
    (root / "play.yml").write_text("- {name: Play, hosts: all, tasks: []}\n")
    (root / "schedules/windows.yml").write_text(windows)
    for name, text in schedules.items():
        (root / f"schedules/{name}.yml").write_text(text)
    definitions = read(root, environ={})
    known = read_inventories(definitions, Answers(*errors))
    entries = list_openings(definitions, from_=FROM, to=TO, services=known.services)
    seen = look_at_hosts(entries, known, now=NOW)
    rows = with_collisions(entries, seen.collisions)
    return seen, [f"{row.schedule} {row.state}: {', '.join(row.opening.notes)}" for row in rows]


def test_two_schedules_that_meet_on_a_host_are_told_on_both_lines(tmp_path: Path) -> None:
    seen, rows = look(tmp_path, patch=PATCH, clean=CLEAN)

    assert seen.collisions == (
        Collision(
            ("patch", "clean"),
            "production",
            ("web-02",),
            datetime(2026, 3, 22, 3, tzinfo=UTC),
            datetime(2026, 3, 22, 4, tzinfo=UTC),
        ),
    )
    assert rows == ["patch planned: meets clean on web-02", "clean planned: meets patch on web-02"]


@pytest.mark.parametrize(
    "clean",
    [
        CLEAN.replace("web-02:db", "db"),
        CLEAN + "enabled: false\n",
        CLEAN.replace("window: early-sunday", 'window: {day: sunday, start: "04:00", duration: 1h}'),
    ],
    ids=["other hosts", "switched off", "one ends as the other begins"],
)
def test_others_do_not_meet(tmp_path: Path, clean: str) -> None:
    assert look(tmp_path, patch=PATCH, clean=clean)[0].collisions == ()


def test_a_freeze_that_is_for_a_service_is_seen_and_what_is_frozen_meets_nobody(tmp_path: Path) -> None:
    freeze = (
        'freezes: [{name: sale, from: "2026-03-21T00:00Z", to: "2026-03-23T00:00Z", applies_to: {services: [shop]}}]\n'
    )

    seen, rows = look(
        tmp_path, windows=WINDOWS + freeze, patch=PATCH, clean=CLEAN.replace("web-02:db", "db:spare"), more=CLEAN
    )

    assert rows == ["patch frozen: ", "clean planned: ", "more frozen: "]
    assert seen.collisions == ()


def test_hosts_that_no_schedule_covers_are_named(tmp_path: Path) -> None:
    seen, _ = look(tmp_path, patch=PATCH, clean=CLEAN.replace("web-02:db", "switches") + "enabled: false\n")

    assert seen.uncovered_hosts == tuple(UncoveredHost("production", name) for name in ("db-01", "spare", "switch-01"))


def test_nothing_is_concluded_from_an_inventory_that_cannot_be_read(tmp_path: Path) -> None:
    seen, _ = look(tmp_path, "no such plugin", bounds="servers: 1mo", patch=PATCH, clean=CLEAN)

    assert seen == HostsLookedAt(unread=("production: no such plugin",))


def test_a_service_whose_servers_are_upgraded_every_month_is_well(tmp_path: Path) -> None:
    seen, _ = look(tmp_path, bounds="servers: 1mo", patch=PATCH.replace("saturday-night", "first-sunday"))

    assert seen.rare_upgrades == ()


@pytest.mark.parametrize(
    ("change", "hosts"),
    [
        (("window: saturday-night", "window: spring"), ("web-01", "web-02")),
        (("hosts: web", "hosts: web-01"), ("web-02",)),
        (("why: x", "why: x\neffect: read_only"), ("web-01", "web-02")),
        (("why: x", "why: x\nenabled: false"), ("web-01", "web-02")),
    ],
    ids=["only in spring", "only one host", "only looks", "switched off"],
)
def test_a_service_whose_servers_are_upgraded_too_rarely_is_told(
    tmp_path: Path, change: tuple[str, str], hosts: tuple[str, ...]
) -> None:
    seen, _ = look(tmp_path, bounds="servers: 1mo", patch=PATCH.replace(*change))

    assert seen.rare_upgrades == (RareUpgrade("shop", "the web shop", "servers", "1mo", hosts),)


def test_network_devices_are_told_by_their_connection_and_firmware_is_for_all(tmp_path: Path) -> None:
    seen, _ = look(tmp_path, bounds="servers: 1mo, network: 6mo, firmware: 12mo", patch=PATCH)

    told = [(each.service, each.kind, each.hosts) for each in seen.rare_upgrades]
    assert told == [
        ("office", "network", ("switch-01",)),
        ("shop", "firmware", ("web-01", "web-02")),
        ("office", "firmware", ("switch-01",)),
    ]


def test_a_window_that_never_closes_is_often_enough(tmp_path: Path) -> None:
    seen, _ = look(tmp_path, bounds="servers: 1mo", patch=PATCH.replace("saturday-night", "always"))

    assert seen.rare_upgrades == ()
