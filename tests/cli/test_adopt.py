"""`wellkept adopt`: what it prints, and how it leaves."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from runner.cli.funnel import run

FILES = {
    "ansible.cfg": "[defaults]\ninventory = hosts.ini\n",
    "hosts.ini": "[web]\nweb1 ansible_connection=local\n",
    "site.yml": "- {name: Everything, hosts: all, tasks: []}\n",
    "other.yml": "- {name: Other, hosts: all, tasks: []}\n",
}
CRONTAB = (
    "0 3 * * 0 cd {root} && ansible-playbook site.yml\n*/5 * * * * ansible all -m ping\n0 4 * * * apt-get update\n"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / "repo" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "repo" / name).write_text(text)
    (tmp_path / "crontab").write_text(CRONTAB.format(root=tmp_path / "repo"))
    return tmp_path / "repo"


def adopt(root: Path, *arguments: str) -> int:
    return run(["adopt", str(root), "--offline", "--crontab", str(root.parent / "crontab"), *arguments])


def test_a_table_tells_what_became_of_each_line_and_what_comes_next(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = adopt(root)

    said = capsys.readouterr().out
    assert code == 0
    assert "1 of 3 lines became a schedule; 1 needs a person; 1 is not about Ansible." in said
    assert "Playbooks without a schedule: other.yml." in said
    assert "Written: schedules/site.yml, wellkept.yml." in said
    assert "wellkept plan site" in said
    assert run(["-C", str(root), "validate", "--offline"]) == 0


def test_a_dry_run_prints_the_files(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = adopt(root, "--dry-run")

    said = capsys.readouterr().out
    assert code == 0
    assert "--- schedules/site.yml\n# Made from" in said
    assert "enabled: false" in said
    assert not (root / "wellkept.yml").exists()


def test_what_is_there_already_is_named_and_left_alone(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "wellkept.yml").write_text("# mine\n")

    code = adopt(root)

    said = capsys.readouterr()
    assert code == 2
    assert "There already: wellkept.yml. Nothing was written." in said.err
    assert (root / "wellkept.yml").read_text() == "# mine\n"
    assert not (root / "schedules").exists()


def test_json_holds_every_line_and_every_file(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = adopt(root, "--format", "json")

    document = json.loads(capsys.readouterr().out)
    assert (code, document["version"]) == (0, 1)
    assert [line["outcome"] for line in document["adoption"]["lines"]] == ["schedule", "needs_person", "not_ansible"]
    assert [file["path"] for file in document["adoption"]["files"]] == ["schedules/site.yml", "wellkept.yml"]


def test_without_a_file_the_own_crontab_is_read(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "bin" / "crontab"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/crontab\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    code = run(["adopt", str(root), "--offline", "--dry-run"])

    assert code == 0
    assert "crontab:1" in capsys.readouterr().out


def test_without_cron_it_says_so(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    code = run(["adopt", str(root), "--offline", "--dry-run"])

    assert code == 0
    assert "There was no crontab" in capsys.readouterr().out
