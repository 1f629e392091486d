"""Laying out a new maintenance repository: valid at once, never overwriting, and repeatable after an interruption."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from runner.adapters.inventory import AnsibleInventory
from runner.config import check
from runner.config.schemas import KINDS, schema
from runner.errors import UsageError
from runner.operations.lay_out import FOLDERS, SETTINGS, lay_out, starter_source, with_organisation
from runner.operations.validate_files import validate_files

CHECKOUT = Path(__file__).resolve().parents[2]
ALL_SCHEMAS = {kind: schema(kind) for kind in KINDS}


def laid_out(target: Path, **more: object) -> list[Path]:
    values: dict[str, object] = {"source": starter_source(), "organisation": "Example Ltd", "schemas": ALL_SCHEMAS}
    return lay_out(target, **{**values, **more})  # type: ignore[arg-type]


def definition_files(root: Path) -> list[Path]:
    return [path for folder in (root, root / "schedules", root / "reports") for path in sorted(folder.glob("*.yml"))]


def test_a_new_maintenance_repository_is_valid_without_a_single_warning(tmp_path: Path) -> None:
    laid_out(tmp_path / "new")

    definitions, problems = check(tmp_path / "new", environ={})

    assert problems == []
    assert definitions is not None
    assert {"facts", "patch-servers"} <= set(definitions.schedules)


def test_ansible_finds_hosts_for_every_pattern_of_a_new_maintenance_repository(tmp_path: Path) -> None:
    laid_out(tmp_path / "new")
    environ = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path)}

    problems = validate_files(tmp_path / "new", environ=environ, inventories=AnsibleInventory(environ=environ))

    assert problems == []


def test_no_schedule_that_changes_something_runs_before_a_person_says_so(tmp_path: Path) -> None:
    laid_out(tmp_path / "new")

    definitions, _ = check(tmp_path / "new", environ={})

    assert definitions is not None
    enabled = [schedule for schedule in definitions.schedules.values() if schedule.enabled]
    assert [schedule.name for schedule in enabled if schedule.changes_something] == []
    assert enabled != []


def test_what_was_written_is_listed_and_is_there(tmp_path: Path) -> None:
    written = laid_out(tmp_path / "new")

    there = sorted(path for path in (tmp_path / "new").rglob("*") if path.is_file())
    assert sorted(written) == there
    assert written[-1] == tmp_path / "new" / "wellkept.yml"


def test_every_folder_says_on_one_screen_what_goes_there_and_how_to_check_it(tmp_path: Path) -> None:
    laid_out(tmp_path / "new")

    for folder in ("playbooks", "inventories", "schedules", "reports"):
        text = (tmp_path / "new" / folder / "README.md").read_text()
        assert text.count("\n") < 35
        assert "Check: `wellkept " in text
        assert "```yaml" in text


def test_every_file_names_a_schema_that_is_there(tmp_path: Path) -> None:
    laid_out(tmp_path / "new")

    named = {}
    for path in definition_files(tmp_path / "new"):
        found = re.match(r"# yaml-language-server: \$schema=(\S+)\n", path.read_text())
        named[path.name] = bool(found) and (path.parent / str(found and found[1])).is_file()
    assert named != {}
    assert {name for name, there in named.items() if not there} == set()


def test_every_file_obeys_the_schema_that_it_names(tmp_path: Path) -> None:
    laid_out(tmp_path / "new")

    for path in definition_files(tmp_path / "new"):
        text = path.read_text()
        named = json.loads((path.parent / text.split("$schema=")[1].split()[0]).read_text())
        jsonschema.Draft202012Validator(named).validate(yaml.safe_load(text))


def test_the_starter_inventory_is_readable_by_ansible(tmp_path: Path) -> None:
    laid_out(tmp_path / "new")
    program = Path(sys.executable).with_name("ansible-inventory")

    answer = subprocess.run(
        [program, "-i", "inventories/servers.yml", "--list"],
        cwd=tmp_path / "new",
        env={
            "PATH": f"{program.parent}:/usr/bin:/bin",
            "HOME": str(tmp_path),
            "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert (answer.returncode, answer.stderr) == (0, "")
    assert json.loads(answer.stdout)["servers"]["hosts"] == ["localhost"]


def test_nothing_that_is_there_is_overwritten(tmp_path: Path) -> None:
    mine = tmp_path / "playbooks" / "patch.yml"
    mine.parent.mkdir()
    mine.write_text("- hosts: mine\n")

    written = laid_out(tmp_path)

    assert mine.read_text() == "- hosts: mine\n"
    assert mine not in written


def test_a_maintenance_repository_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    laid_out(tmp_path)
    (tmp_path / "playbooks" / "facts.yml").unlink()

    with pytest.raises(UsageError, match=r"wellkept\.yml is there already.*validate"):
        laid_out(tmp_path)

    assert not (tmp_path / "playbooks" / "facts.yml").exists()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("")

    with pytest.raises(UsageError, match="is a file"):
        laid_out(tmp_path / "new")


def test_a_folder_that_cannot_be_made_is_told_and_the_layout_can_be_done_again(tmp_path: Path) -> None:
    (tmp_path / "schedules").write_text("in the way")

    with pytest.raises(UsageError, match="schedules"):
        laid_out(tmp_path)
    (tmp_path / "schedules").unlink()
    laid_out(tmp_path)

    assert check(tmp_path, environ={})[1] == []


@given(st.text(alphabet=st.characters(exclude_categories=["C", "Z"], include_characters=" "), min_size=1))
def test_any_name_that_can_be_printed_survives(name: str) -> None:
    assume(name.strip() and name.isprintable())

    text = with_organisation("format: 1\norganisation: Example Ltd\nstate_dir: var\n", name)

    assert yaml.safe_load(text) == {"format": 1, "organisation": name, "state_dir": "var"}


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "bell\x07", "\udcff"])
def test_a_name_that_cannot_be_printed_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="--organisation NAME"):
        laid_out(tmp_path / "new", organisation=name)

    assert not (tmp_path / "new").exists()


def test_the_name_of_the_organisation_is_in_the_settings(tmp_path: Path) -> None:
    laid_out(tmp_path, organisation='Müller & Söhne: "the" firm')

    definitions, problems = check(tmp_path, environ={})

    assert problems == []
    assert definitions is not None
    assert definitions.settings.organisation == 'Müller & Söhne: "the" firm'


def test_reports_that_were_written_are_no_starter_files(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in ("wellkept.yml", "reports/a.yml", "reports/output/b.yml", "reports/samples/c.md", "reports/d.html"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("organisation: x\n")

    written = lay_out(tmp_path / "new", source=source, organisation="x")

    assert [path.name for path in written] == ["a.yml", ".gitignore", "wellkept.yml"]


def test_the_checkout_is_the_source_when_there_is_no_installed_copy() -> None:
    assert starter_source() in {CHECKOUT, CHECKOUT / "runner" / "starter"}


def test_the_wheel_carries_every_starter_file() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())

    carried = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]

    assert carried == {name: f"runner/starter/{name}" for name in (*FOLDERS, SETTINGS)}
