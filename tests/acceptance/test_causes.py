"""Every class of cause, from a real fault on a real host through a whole run: the confusion table."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from runner.domain.tickets.cause import CauseClass
from runner.operations.execution.show_run import outcome_in_words
from runner.store.execution import outcomes
from tests.acceptance.causes import (
    AFTER,
    ALONE,
    CANCELLED,
    MODULES,
    OVERTIME,
    OWN_RULES,
    PLAYBOOK,
    UNCHECKED,
    UNRUNNABLE,
    Fault,
    Found,
    confusion,
    faults_for,
)
from tests.acceptance.maintenance import Maintenance
from tests.acceptance.processes import end_all, until
from tests.lab import Lab, Mode, Wishes
from tests.lab.machine import choose_mode

pytestmark = [pytest.mark.lab]
MODE = choose_mode(plain=False)[0]


@contextmanager
def site_with(faults: Sequence[Fault], *, laid_out: Path, folder: Path) -> Iterator[Maintenance]:
    """A maintenance repository over one host for each fault, which has it already."""
    wishes = Wishes(
        names=[fault.host for fault in faults],
        extras={fault.host: fault.with_packages for fault in faults if fault.with_packages},
        disks={fault.host: fault.disk_mib for fault in faults if fault.disk_mib},
    )
    with Lab.up(folder / "lab", wishes) as lab:
        shutil.copytree(laid_out, folder / "maintenance")
        site = Maintenance(folder / "maintenance", lab, mark="causes")
        site.lay_out()
        write_playbooks(site, faults)
        for host, name in [(fault.host, name) for fault in faults for name in fault.breaks]:
            lab.break_host(host, name)
        yield site
        end_all(site.root)
        for process in site.started:
            process.wait(10)


def write_playbooks(site: Maintenance, faults: Sequence[Fault]) -> None:
    """What each host does, the check afterwards, one that can't be run, modules with faults of their own, and a rule of the user's own."""
    tasks = {f"faults/{fault.host}.yml": fault.tasks for fault in faults}
    modules = {f"library/{name}": text for name, text in MODULES.items()}
    playbooks = {f"{name}.yml": PLAYBOOK for name in ("meet", *(fault.host for fault in ALONE))}
    for name, text in {**tasks, **modules, **playbooks, "after.yml": AFTER, "unrunnable.yml": UNRUNNABLE}.items():
        path = site.root / "playbooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (site.root / "schedules" / "causes.yml").write_text(OWN_RULES)


def met_together(site: Maintenance, faults: Sequence[Fault]) -> list[Found]:
    """What one run over many hosts finds."""
    hosts = ":".join(fault.host for fault in faults)
    site.schedule("meet", hosts, concurrency=len(faults), failure_budget="100%", after="[playbooks/after.yml]")
    site.run("run", "meet", code=1)
    return [found(site, "meet", fault) for fault in faults]


def begin_alone(site: Maintenance) -> list[subprocess.Popen[str]]:
    """Start the runs whose trouble is that of a whole run; one of them is cancelled already."""
    site.schedule(UNCHECKED.host, UNCHECKED.host, after="[playbooks/unrunnable.yml]")
    site.schedule(CANCELLED.host, CANCELLED.host)
    site.schedule(OVERTIME.host, OVERTIME.host, time_limit="8s")
    commands = [site.start("run", fault.host) for fault in ALONE]
    begun = lambda: site.lab.run(CANCELLED.host, ["test", "-e", "/root/begun"]).returncode == 0  # noqa: E731
    until(begun, what="the work that is to be cancelled has begun")
    site.run("runs", "cancel", str(site.runs(CANCELLED.host)[0].number), "--now")
    return commands


def found(site: Maintenance, schedule: str, fault: Fault) -> Found:
    """What the record says about one host in the last run of a schedule."""
    run = site.until_settled(schedule)
    result = next(row.result for row in site.store.read(lambda c: outcomes.of_run(c, run.id)) if row.host == fault.host)
    return Found(fault, outcome_in_words(result), str(result.cause), result.text)


def wrong(table: Sequence[Found]) -> list[str]:
    """The hosts whose class, or whose fault, is not the one that was meant; the whole table is printed beside."""
    print(confusion(table))
    return [each.fault.host for each in table if not each.is_right]


@pytest.mark.timeout(600)
def test_every_class_is_found_by_a_run_over_a_host_that_has_such_a_fault(
    laid_out: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    faults = faults_for(MODE, rare=False)
    with site_with([*faults, *ALONE], laid_out=laid_out, folder=tmp_path_factory.mktemp("causes")) as site:
        going = begin_alone(site)
        table = met_together(site, faults)
        assert [command.wait(120) for command in going] == [1, 1, 1]
        table += [found(site, fault.host, fault) for fault in ALONE]

    assert wrong(table) == []
    missing = set(CauseClass) - {each.fault.cause for each in table}
    assert missing == (set() if MODE is Mode.ROOT else {CauseClass.PRIVILEGE})


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_many_messages_of_every_class_are_told_apart(laid_out: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    faults = faults_for(MODE, rare=True)
    with site_with(faults, laid_out=laid_out, folder=tmp_path_factory.mktemp("causes")) as site:
        table = met_together(site, faults)

    assert wrong(table) == []
