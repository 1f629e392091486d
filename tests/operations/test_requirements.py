"""Requirements at work: installed ahead for the definitions in force, found by the run, and a hold without them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from runner.domain.execution.requirements import Installed, InstalledItem
from runner.domain.execution.run import RunState, SlotState, Trigger
from runner.domain.record.record import run_stream
from runner.errors import Held
from runner.operations.execution.approve_change import offer_slot
from runner.operations.execution.choose_slot import SlotNamed
from runner.operations.execution.continue_run import content_now, content_then
from runner.operations.execution.install_requirements import AGAIN, install_requirements
from runner.operations.execution.plan_occurrence import Asking, Plan, plan_occurrence
from runner.operations.execution.start_run import Wish, claim, start_by_hand
from runner.operations.time.keep_ledger import keep_ledger
from runner.store.execution import holds, runs
from runner.store.record import log as entries
from runner.store.time import slots
from tests.operations.a_site import SATURDAY_NIGHT, SCHEDULE, Bench
from tests.operations.approvals import NORMAL, PEOPLE, as_
from tests.operations.conftest import Lay
from tests.operations.shelf import Shelf

TOOLS = Installed("content-1", {"collection acme.tools": InstalledItem("1.0.0", "abc")})
NEWER = Installed("content-2", {"collection acme.tools": InstalledItem("1.1.0", "def")})
FILES = {"requirements.yml": "collections: [{name: acme.tools, version: 1.0.0}]\n"}


@dataclass
class Asked:
    """A bench with requirements, and the shelf that they are installed from."""

    bench: Bench
    shelf: Shelf

    @property
    def plan(self) -> Plan:
        site = self.bench.site
        return plan_occurrence("patch", Asking(site.clock()), definitions=site.current(), site=site)

    @property
    def held(self) -> list[str]:
        return [hold.reason for hold in self.plan.holds if hold.guard == "requirements"]

    def write(self, text: str) -> None:
        (self.bench.site.root / "requirements.yml").write_text(text)


@pytest.fixture
def asked(lay: Lay) -> Asked:
    """A repository that asks for one collection, which can be had."""
    return asked_in(lay)


def asked_in(lay: Lay, **changes: str) -> Asked:
    bench, shelf = lay(**changes), Shelf(ready=TOOLS)
    (bench.site.root / "requirements.yml").write_text(FILES["requirements.yml"])
    return Asked(bench.but(galaxy=shelf), shelf)


def opened(asked: Asked) -> slots.Slot:
    """The slot of the night, once the metronome has looked at it."""
    asked.bench.time.now = SATURDAY_NIGHT - timedelta(hours=1)
    keep_ledger(asked.bench.site.current(), site=asked.bench.site, kept=asked.bench.kept)
    asked.bench.time.now = SATURDAY_NIGHT
    asked.bench.tick()
    day = timedelta(days=1)
    now = asked.bench.time.now
    return asked.bench.site.store.read(lambda c: slots.between(c, now - day, now + day, ["patch"]))[0]


def test_a_slot_is_held_with_the_reason_until_everything_is_installed_and_then_starts(asked: Asked) -> None:
    slot = opened(asked)
    told = asked.bench.site.store.read(lambda c: holds.of_slot(c, slot.id))
    assert [hold.guard for hold in told] == ["requirements"]
    assert "are not installed yet" in told[0].reason
    assert asked.bench.ansible.orders == []

    install_requirements(site=asked.bench.site)
    asked.bench.time.pass_by(timedelta(seconds=20))
    asked.bench.tick()

    assert {order.requirements for order in asked.bench.ansible.orders} == {Path("/shelf/content-1")}


def test_the_metronome_itself_installs_nothing(asked: Asked) -> None:
    opened(asked)

    assert asked.shelf.asked == []


def test_they_are_installed_from_an_unchanging_copy_once(asked: Asked) -> None:
    install_requirements(site=asked.bench.site)
    install_requirements(site=asked.bench.site)

    [(wanted, _, project)] = asked.shelf.asked
    assert wanted == asked.bench.site.current().requirements
    assert project.is_relative_to(asked.bench.site.state_dir / "snapshots")
    assert (project / "requirements.yml").is_file()


def test_an_attempt_that_failed_is_told_and_made_again_only_after_a_while(asked: Asked) -> None:
    asked.shelf.ready, asked.shelf.problem = None, "requirements.yml could not be installed: no such host"

    for _ in range(3):
        install_requirements(site=asked.bench.site)
    assert len(asked.shelf.asked) == 1
    assert asked.held == ["requirements.yml could not be installed: no such host (tried 2026-03-21 22:30 UTC)"]

    asked.bench.time.pass_by(AGAIN)
    asked.shelf.ready = TOOLS
    install_requirements(site=asked.bench.site)
    assert asked.held == []


def test_somebody_who_waits_has_it_tried_at_once(asked: Asked) -> None:
    asked.shelf.ready = None
    install_requirements(site=asked.bench.site)
    told: list[str] = []

    install_requirements(site=asked.bench.site, again_after=timedelta(0), tell=told.append)

    assert len(asked.shelf.asked) == 2
    assert told == ["Installing the roles and collections of requirements.yml, with the ansible-galaxy on your PATH …"]


def test_each_ansible_has_its_own_and_one_that_leaves_them_to_the_user_has_none(lay: Lay) -> None:
    schedules = {
        "schedules/old.yml": SCHEDULE.replace("schedule: patch", "schedule: old") + "ansible: {bin: playbooks}\n",
        "schedules/own.yml": SCHEDULE.replace("schedule: patch", "schedule: own") + "ansible: {requirements: ignore}\n",
    }
    asked = asked_in(lay, **schedules)

    install_requirements(site=asked.bench.site)

    assert [ansible.bin for _, ansible, _ in asked.shelf.asked] == ["playbooks", None]
    site = asked.bench.site
    own = plan_occurrence("own", Asking(site.clock()), definitions=site.current(), site=site)
    assert (own.installed, own.holds) == (None, ())


def test_what_is_installed_is_part_of_the_digest_and_of_the_record(asked: Asked) -> None:
    install_requirements(site=asked.bench.site)
    before = asked.plan.digest

    run_id = start_by_hand("patch", Wish(digest=before), site=asked.bench.site)

    run = asked.bench.site.store.read(lambda c: runs.get(c, run_id))
    assert run.plan.requirements == "content-1"
    assert run.plan_digest == before
    first = asked.bench.site.store.read(lambda c: next(entries.entries(c, run_stream(run_id))))
    assert json.loads(first.body)["requirements"] == {"collection acme.tools": "1.0.0"}
    asked.bench.drive(run_id)
    asked.shelf.on_the_shelf = dict.fromkeys(asked.shelf.on_the_shelf, NEWER)
    assert asked.plan.digest != before


def test_without_requirements_the_digest_is_what_it_was(lay: Lay) -> None:
    asked = asked_in(lay)
    asked.write("# nothing yet\n")

    assert asked.plan.installed is None
    assert asked.held == []


def test_requirements_that_are_edited_while_a_run_starts_hold_it(asked: Asked) -> None:
    install_requirements(site=asked.bench.site)
    plan = asked.plan
    asked.write("collections: [{name: acme.tools, version: 2.0.0}]\n")

    with pytest.raises(Held, match="are not installed yet"):
        claim(
            plan,
            site=asked.bench.site,
            trigger=Trigger.HAND,
            slot=None,
            by=asked.bench.site.actor,
            wish=Wish(),
            overridden=(),
        )


def test_an_edit_is_installed_anew_and_the_run_that_goes_on_keeps_what_it_began_with(asked: Asked) -> None:
    install_requirements(site=asked.bench.site)
    run_id = start_by_hand("patch", Wish(), site=asked.bench.site)
    asked.write("collections: [{name: acme.tools, version: 1.1.0}]\n")
    asked.shelf.ready = NEWER
    install_requirements(site=asked.bench.site)

    asked.bench.drive(run_id)

    assert {order.requirements for order in asked.bench.ansible.orders} == {Path("/shelf/content-1")}
    run = asked.bench.site.store.read(lambda c: runs.get(c, run_id))
    assert run.state is RunState.SETTLED
    assert content_then(run, site=asked.bench.site) != content_now(run, site=asked.bench.site)


def test_a_broken_edit_keeps_what_is_installed_in_force(asked: Asked) -> None:
    install_requirements(site=asked.bench.site)
    asked.bench.tick()
    asked.write("just words\n")

    run_id = start_by_hand("patch", Wish(), site=asked.bench.site)

    assert asked.bench.site.store.read(lambda c: runs.get(c, run_id)).plan.requirements == "content-1"


def test_what_is_not_installed_yet_cannot_be_approved(lay: Lay) -> None:
    asked = asked_in(lay, schedule=NORMAL, settings=PEOPLE)
    keep_ledger(asked.bench.site.current(), site=asked.bench.site, kept=asked.bench.kept)

    with pytest.raises(Held, match="cannot be approved yet: the roles and collections"):
        offer_slot(SlotNamed("patch"), site=as_(asked.bench, "bob").site)


def test_a_slot_that_was_never_installed_for_ends_as_held(asked: Asked) -> None:
    slot = opened(asked)
    for _ in range(2):
        asked.bench.time.now = slot.last_start_at - timedelta(seconds=20)
        asked.bench.tick()
    asked.bench.time.now = slot.last_start_at
    asked.bench.tick()

    ended = asked.bench.site.store.read(lambda c: slots.get(c, slot.id))
    assert (ended.state, ended.outcome) == (SlotState.SETTLED, "held")
    assert "not installed yet" in (ended.reason or "")
