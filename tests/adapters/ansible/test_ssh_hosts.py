"""Pieces on real hosts over ssh: masters, marks, and looks before and after."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.adapters.ansible import AnsibleExecutor
from runner.domain.execution.look import HostLook, PackageChange, packages_changed, read_look
from runner.domain.execution.outcome import Event, EventKind
from runner.ports import PieceEnd, PieceOrder
from tests.adapters.ansible.pieces import (
    Workshop,
    follow,
    follow_until,
    marked,
    of_kind,
    owner_order,
    play,
    wait_for,
    with_words,
)
from tests.lab import Lab

pytestmark = pytest.mark.lab
OWNER = Path(__file__).with_name("owner.py")
UPGRADE = "{name: Upgrade, apt: {upgrade: dist, update_cache: true}}"
Ordering = Callable[..., PieceOrder]


@pytest.fixture
def ordered(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Callable[[Lab], Ordering]:
    """Orders for a lab's hosts, with pipelining: the case without a terminal, in which more goes on after a kill."""
    monkeypatch.setenv("ANSIBLE_PIPELINING", "1")
    monkeypatch.setenv("ANSIBLE_TIMEOUT", "5")

    def for_lab(lab: Lab) -> Ordering:
        workshop.inventory = (str(lab.inventory),)
        return workshop.order

    return for_lab


def masters(workshop: Workshop) -> dict[int, str]:
    return with_words(f"ssh: {workshop.control_path}/")


def look_at(
    executor: AnsibleExecutor, order: Ordering, **more: object
) -> tuple[dict[str, HostLook], list[Event], PieceEnd]:
    events, end = follow(executor.start(order(executor.look_playbook, **more)))
    looks = {event.host: read_look(event.output) for event in of_kind(events, EventKind.HOST_OK) if event.output}
    return looks, events, end


def test_masters_are_kept_between_pieces_and_closed_with_the_run(
    executor: AnsibleExecutor, workshop: Workshop, lab: Lab, ordered: Callable[[Lab], Ordering]
) -> None:
    order = ordered(lab)
    follow(executor.start(order(play("{ping: }", hosts="web"))))
    first = masters(workshop)
    _, end = follow(executor.start(order(play("{ping: }", hosts="web"))))
    second = masters(workshop)

    gone = executor.finish_run("run-1", workshop.control_path)

    assert end.complete
    assert len(first) == 3
    assert set(second) == set(first)
    assert gone
    assert masters(workshop) == {}
    assert not workshop.control_path.exists()


def test_masters_of_a_killed_leash_are_closed_too(
    executor: AnsibleExecutor, workshop: Workshop, lab: Lab, ordered: Callable[[Lab], Ordering]
) -> None:
    piece = executor.start(ordered(lab)(play("{command: sleep 321}", hosts="web")))
    follow_until(piece, lambda event: event.kind is EventKind.HOST_START)
    wait_for(lambda: len(masters(workshop)) == 3)

    os.kill(piece.leash_pid, signal.SIGKILL)
    _, end = follow(piece)

    assert (end.how, end.gone) == ("lost", True)
    assert masters(workshop) == {}


def test_masters_that_nobody_owns_are_found_by_any_process(
    executor: AnsibleExecutor, workshop: Workshop, lab: Lab, ordered: Callable[[Lab], Ordering]
) -> None:
    order = ordered(lab)(play("{command: sleep 322}", hosts="web"))
    path = owner_order(workshop.folder / "owner.json", order)
    owner = subprocess.Popen([sys.executable, str(OWNER), str(path), "15"], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    leash = int(owner.stdout.readline())
    wait_for(lambda: len(masters(workshop)) == 3)
    os.kill(leash, signal.SIGSTOP)
    owner.kill()
    os.kill(leash, signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    left_before = masters(workshop)

    strays = executor.end_strays(live=list)

    assert len(left_before) == 3
    assert strays.left == ()
    assert masters(workshop) == {}
    assert marked(order) == {}


def test_what_goes_on_on_a_host_is_seen_by_the_next_look(
    executor: AnsibleExecutor, fresh_lab: Lab, ordered: Callable[[Lab], Ordering]
) -> None:
    order = ordered(fresh_lab)
    sleeping = order(play("{command: sleep 323}", hosts="web-01"))
    piece = executor.start(sleeping)
    follow_until(piece, lambda event: event.kind is EventKind.HOST_START)
    wait_for(lambda: "sleep 323" in fresh_lab.run("web-01", ["ps", "ax"]).stdout)
    piece.cancel()
    _, end = follow(piece)

    looks, _, _ = look_at(executor, order, limit=("web-01", "web-02"))
    others, _, _ = look_at(executor, order, limit=("web-01",), extra_vars={"wellkept_marker": "another-piece:"})

    assert end.gone
    assert any("sleep 323" in line for line in looks["web-01"].busy)
    assert all(line.startswith("marked pid=") for line in looks["web-01"].busy)
    assert looks["web-02"].is_quiet
    assert not any("sleep 323" in line for line in others["web-01"].busy)


def test_looks_before_and_after_an_upgrade_tell_what_really_changed(
    executor: AnsibleExecutor, fresh_lab: Lab, ordered: Callable[[Lab], Ordering]
) -> None:
    order = ordered(fresh_lab)
    before, _, _ = look_at(executor, order)
    events, end = follow(executor.start(order(play(UPGRADE, hosts="all"))))
    after, _, _ = look_at(executor, order)

    (failed,) = of_kind(events, EventKind.HOST_FAILED)
    assert end.complete
    assert failed.host == "db-02"
    assert not failed.changed
    assert {host: look.broken for host, look in after.items() if look.broken} == {"db-02": ("labbroken",)}
    assert [host for host, look in after.items() if look.reboot_required] == ["web-03"]
    assert after["web-03"].reboot_packages
    changed = packages_changed(before["db-02"], after["db-02"])
    assert PackageChange("labapp", "1.0", "1.1") in changed
    assert PackageChange("labbroken", "1.0", None) in changed
    assert len({look.machine_id for look in after.values()}) == 5
    assert all(before[host].boot_id == after[host].boot_id for host in after)
    assert all(look.system == "debian 12" and look.kernel and look.free_bytes["/"] > 0 for look in after.values())
    assert all(look.is_quiet for look in after.values())


def test_a_held_package_is_told(executor: AnsibleExecutor, fresh_lab: Lab, ordered: Callable[[Lab], Ordering]) -> None:
    fresh_lab.run("web-01", ["apt-mark", "hold", "labapp"])

    looks, _, _ = look_at(executor, ordered(fresh_lab), limit=("web-01",))

    assert "labapp" in looks["web-01"].held
    assert looks["web-01"].packages["labapp"] == "1.0"


def test_a_package_manager_at_work_makes_a_host_busy(
    executor: AnsibleExecutor, fresh_lab: Lab, ordered: Callable[[Lab], Ordering]
) -> None:
    fresh_lab.break_host("web-01", "hold-lock")

    looks, _, _ = look_at(executor, ordered(fresh_lab), limit=("web-01",))

    assert any(line.startswith("lock /var/lib/dpkg/lock-frontend") for line in looks["web-01"].busy)
    fresh_lab.heal("web-01")


def test_a_look_tells_who_cannot_be_reached_and_whose_key_has_changed(
    executor: AnsibleExecutor, fresh_lab: Lab, ordered: Callable[[Lab], Ordering]
) -> None:
    fresh_lab.break_host("web-01", "refuse")
    fresh_lab.break_host("web-02", "new-host-key")

    looks, events, end = look_at(executor, ordered(fresh_lab), limit=("web-01", "web-02", "web-03"))

    told = {event.host: event.text for event in of_kind(events, EventKind.HOST_UNREACHABLE)}
    fresh_lab.heal()
    assert set(looks) == {"web-03"}
    assert "refused" in told["web-01"]
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in told["web-02"] or "verification failed" in told["web-02"]
    assert end.complete


def test_a_look_runs_in_check_mode_too(executor: AnsibleExecutor, lab: Lab, ordered: Callable[[Lab], Ordering]) -> None:
    looks, _, _ = look_at(executor, ordered(lab), limit=("web-03",), check=True)

    assert looks["web-03"].machine_id


def test_hosts_without_a_shell_are_passed_over_with_a_word(executor: AnsibleExecutor, workshop: Workshop) -> None:
    lines = [
        f"here {workshop.variables}",
        "switch ansible_connection=ansible.netcommon.network_cli ansible_network_os=ios",
        "windows ansible_connection=ssh ansible_shell_type=powershell",
    ]
    workshop.inventory = (str(workshop.write("mixed", "\n".join(lines) + "\n")),)

    looks, events, end = look_at(executor, workshop.order)

    passed = {event.host: event.text for event in of_kind(events, EventKind.HOST_OK) if not event.output}
    assert set(looks) == {"here"}
    assert set(passed) == {"switch", "windows"}
    assert "network_cli has no POSIX shell" in passed["switch"]
    assert not [line for line in looks["here"].busy if str(workshop.folder) in line]
    assert end.complete
