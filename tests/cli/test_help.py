from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import click
import pytest

from runner.cli.commands import COMMANDS, HIDDEN, wellkept
from runner.cli.funnel import run
from tests.cli.conftest import Repository

HEAVY = (
    "sqlalchemy",
    "alembic",
    "pydantic",
    "yaml",
    "rich",
    "ansible",
    "ansible_runner",
    "httpx",
    "paramiko",
    "jinja2",
)
EVERY = [*COMMANDS.items(), *HIDDEN.items()]


@pytest.mark.parametrize(("name", "entry"), EVERY, ids=[name for name, _ in EVERY])
def test_the_line_in_the_table_is_the_first_line_of_the_help(name: str, entry: tuple[str, str]) -> None:
    module, line = entry

    command = import_module(f"runner.cli.{module}").command

    assert isinstance(command, click.Command)
    assert command.name == name
    assert (command.help or "").strip().splitlines()[0] == line


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    look = (
        "import sys; from runner.cli.funnel import run; code = run(sys.argv[1:]); "
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]; sys.exit(code or (heavy and str(heavy)) or 0)"
    )

    ran = subprocess.run([sys.executable, "-c", look, *arguments], capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout


def test_every_command_of_the_table_is_listed() -> None:
    with click.Context(wellkept, info_name="wellkept") as context:
        listed = wellkept.get_help(context)

    assert all(f"  {name} " in listed and line in listed for name, (_, line) in COMMANDS.items())


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_keep_their_lines(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run([name, "--help"])

    said = capsys.readouterr().out
    assert code == 0
    assert "\\b" not in said
    assert f"\n  wellkept {name}" in said


def test_a_mistyped_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["statsu"])

    assert code == 2
    assert "Did you mean 'status'?" in capsys.readouterr().err


def test_outside_of_a_repository_the_way_out_is_told(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.delenv("WELLKEPT_ROOT", raising=False)

    code = run(["status"])

    assert code == 2
    assert "wellkept init DIR" in capsys.readouterr().err


def test_the_reader_may_go_away(wellkept: Repository) -> None:
    shell = f"{sys.executable} -m runner -C {wellkept.root} status | head -1; echo ${{PIPESTATUS[0]}}"

    ran = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False)

    assert ran.stdout.splitlines()[-1] == "0"
    assert ran.stderr == ""
