"""Requirements: what is asked for, what an approval binds of it, and what a schedule is held by without it."""

from __future__ import annotations

from datetime import UTC, datetime

from runner.domain.execution.approved_content import digest_of_content, what_changed
from runner.domain.execution.guards import hold_for_requirements
from runner.domain.execution.own_ansible import AnsibleSettings, RequirementsUse
from runner.domain.execution.requirements import Installed, InstalledItem, NotInstalled, Requirements, RequirementsFile

WANTED = Requirements((RequirementsFile("requirements.yml", roles=True, collections=True),), (), "digest")
TRIED = NotInstalled("requirements.yml could not be installed: no such host", datetime(2026, 3, 21, 9, 0, tzinfo=UTC))


def test_requirements_without_any_file_ask_for_nothing() -> None:
    assert not Requirements()
    assert hold_for_requirements(Requirements(), None) is None


def test_what_nobody_has_installed_yet_is_a_hold_with_the_way_out() -> None:
    hold = hold_for_requirements(WANTED, None)

    assert hold is not None
    assert hold.guard == "requirements"
    assert "requirements.yml are not installed yet" in hold.reason
    assert "`wellkept plan`" in hold.reason


def test_what_could_not_be_installed_is_a_hold_with_the_reason_and_the_time() -> None:
    hold = hold_for_requirements(WANTED, TRIED)

    assert hold is not None
    assert hold.reason == "requirements.yml could not be installed: no such host (tried 2026-03-21 09:00 UTC)"


def test_what_is_said_for_a_schedule_counts_before_what_is_said_for_all() -> None:
    everywhere = AnsibleSettings(requirements=RequirementsUse.IGNORE)
    here = AnsibleSettings(requirements=RequirementsUse.INSTALL)

    assert here.over(everywhere).installs
    assert not AnsibleSettings(bin="/opt/ansible/bin").over(everywhere).installs
    assert AnsibleSettings().installs


def test_an_approval_binds_the_content_of_each_role_and_collection_and_names_what_is_another_one() -> None:
    then = {"requirements": Installed("a", {"collection acme.tools": InstalledItem("1.0.0", "abc")}).content}
    now = {"requirements": Installed("b", {"collection acme.tools": InstalledItem("1.0.0", "def")}).content}

    assert digest_of_content(then) != digest_of_content(now)
    assert what_changed(then, now) == ("requirements.collection acme.tools has another value",)


def test_what_is_installed_is_told_with_its_versions() -> None:
    items = {"role web": InstalledItem("", "1"), "collection acme.tools": InstalledItem("1.0.0", "2")}

    assert Installed("a", items).words == "role web, collection acme.tools 1.0.0"
