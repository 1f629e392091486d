"""Requirements as a person meets them: `plan` installs and tells, `run` finds them, `doctor` names what is in the way."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.adapters.test_requirements import a_collection, a_role, write
from tests.cli.conftest import SCHEDULE, Repository

ALWAYS = SCHEDULE.replace("window: saturday-night", "window: always").replace("hosts: all", "hosts: web1")
PLAYBOOK = "- {name: Greet, hosts: web1, gather_facts: false, roles: [greet, acme.tools.hello]}\n"


@pytest.fixture
def asking(wellkept: Repository, tmp_path: Path) -> Repository:
    """A repository whose playbook needs a role and a collection that only requirements files name."""
    a_collection(wellkept.root / "vendor/tools")
    wellkept.write("collections/requirements.yml", "collections: [{source: vendor/tools, type: dir}]\n")
    role = f"[{{src: {a_role(tmp_path / 'greet')}, name: greet, version: 1.0.0}}]\n"
    wellkept.write("roles/requirements.yml", role)
    wellkept.write("schedules/patch.yml", ALWAYS)
    wellkept.write("playbooks/patch.yml", PLAYBOOK)
    return wellkept


def examined(repository: Repository) -> dict[str, str]:
    found = repository("doctor", "--format", "json").json()["examined"]
    return next((each for each in found if each["what"] == "requirements"), {})


def test_a_run_finds_what_the_plan_has_installed_also_when_its_source_is_away(
    asking: Repository, tmp_path: Path
) -> None:
    assert (examined(asking)["standing"], "not installed yet" in examined(asking)["found"]) == ("warning", True)

    planned = asking("plan", "patch")

    assert (
        "Installing the roles and collections of roles/requirements.yml and collections/requirements.yml" in planned.err
    )
    assert "Installed by your requirements: role greet 1.0.0, collection acme.tools 1.0.0" in planned.out
    assert "are found behind your own, in " in planned.out
    assert "Nothing holds it." in planned.out
    shutil.rmtree(tmp_path / "greet")
    assert examined(asking)["standing"] == "ok"
    digest = asking("plan", "patch", "--format", "json").json()["plans"][0]["digest"]
    ran = asking("run", "patch", "--digest", digest[:12])
    assert ran.code == 0, ran.err
    assert "Run 1 succeeded" in ran.out


def test_what_cannot_be_installed_holds_the_run_with_the_reason(asking: Repository, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "greet")

    refused = asking("run", "patch")

    assert refused.code == 3
    assert "roles/requirements.yml could not be installed: " in refused.err
    assert "greet" in refused.err
    found = examined(asking)
    assert found["standing"] == "problem"
    assert "ansible: {requirements: ignore}" in found["way_out"]


def test_what_is_left_to_the_user_is_neither_installed_nor_examined(asking: Repository, tmp_path: Path) -> None:
    asking.write("schedules/patch.yml", ALWAYS + "ansible: {requirements: ignore}\n")

    planned = asking("plan", "patch")

    assert "Installing" not in planned.err
    assert "Nothing holds it." in planned.out
    assert examined(asking) == {}


def test_an_entry_without_a_version_is_a_warning_at_its_place(wellkept: Repository) -> None:
    write(wellkept.root, **{"requirements.yml": "collections:\n  - community.general\n"})

    said = wellkept("validate")

    assert said.code == 0
    assert "requirements.yml:2:5: warning: community.general: it has no version" in said.out
