"""What must not be ended half-way is known by the events."""

from __future__ import annotations

import pytest

from runner.domain.execution.outcome import Event, EventKind
from runner.domain.execution.under_way import UnderWay
from tests.domain.runs import START


def an_event(kind: EventKind, host: str = "web-01", module: str = "") -> Event:
    return Event(1, 1, kind, START, host=host, module=module)


@pytest.mark.parametrize("module", ["ansible.builtin.apt", "apt", "ansible.builtin.reboot", "community.general.zypper"])
def test_a_package_manager_or_a_restart_is_delicate_until_it_is_over(module: str) -> None:
    going = UnderWay()

    going.take(an_event(EventKind.HOST_START, module=module))
    during = going.is_delicate
    going.take(an_event(EventKind.HOST_OK, module=module))

    assert during
    assert not going.is_delicate


def test_anything_else_may_be_ended() -> None:
    going = UnderWay()

    going.take(an_event(EventKind.HOST_START, module="ansible.builtin.command"))

    assert not going.is_delicate


def test_one_host_at_a_delicate_task_is_enough() -> None:
    going = UnderWay()
    for host in ("web-01", "web-02"):
        going.take(an_event(EventKind.HOST_START, host, "ansible.builtin.apt"))

    going.take(an_event(EventKind.HOST_FAILED, "web-01"))

    assert going.is_delicate


@pytest.mark.parametrize("over", [EventKind.HOST_FAILED, EventKind.HOST_UNREACHABLE, EventKind.HOST_SKIPPED])
def test_every_end_of_a_task_is_one(over: EventKind) -> None:
    going = UnderWay()

    going.take(an_event(EventKind.HOST_START, module="apt"))
    going.take(an_event(over))

    assert not going.is_delicate
