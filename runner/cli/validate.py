"""`wellkept validate`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from runner.cli.app import pass_app
from runner.cli.output import format_option, show_json
from runner.errors import FilesInvalid, Problem, Unknown, count
from runner.wiring import App

if TYPE_CHECKING:
    from runner.operations.time.find_short_windows import PastRuns


@click.command("validate")
@click.option("--offline", is_flag=True, help="Do not ask Ansible about inventories and playbooks.")
@format_option
@pass_app
def command(app: App, offline: bool, form: str) -> None:
    r"""Check every file and print all problems at once.

    \b
    wellkept validate              files, names, windows, inventories and playbooks by Ansible, and windows against past runs
    wellkept validate --offline    without starting Ansible
    """
    from runner.operations.validate_files import validate_files

    problems = validate_files(
        app.root,
        environ=app.environ,
        inventories=None if offline else app.inventories,
        syntax=None if offline else app.secrets.syntax(app.galaxy.folder_for),
        sources=app.sources,
        past=lambda: past_runs(app),
    )
    errors = [problem for problem in problems if problem.severity == "error"]
    tell(problems, errors, form)
    raise SystemExit(FilesInvalid.exit_code if errors else 0)


def tell(problems: list[Problem], errors: list[Problem], form: str) -> None:
    """Every problem, for a program or for a person."""
    if form == "json":
        show_json({"valid": not errors, "problems": [as_row(problem) for problem in problems]})
    else:
        say(problems, errors)


def past_runs(app: App) -> Mapping[str, PastRuns]:
    """What the last runs needed; nothing while there is no database, or it is away: files can be checked without it."""
    from runner.operations.time.find_short_windows import read_past_runs

    try:
        return read_past_runs(app.store, now=app.clock())
    except Unknown:
        return {}


def say(problems: list[Problem], errors: list[Problem]) -> None:
    """Every problem on a line of its own, then one sentence."""
    for problem in problems:
        click.echo(str(problem), err=problem in errors)
    if errors:
        click.echo(FilesInvalid(errors).summary(), err=True)
    else:
        warnings = f", with {count(len(problems), 'warning')}" if problems else ""
        click.echo(f"All files are valid{warnings}.")


def as_row(problem: Problem) -> dict[str, object]:
    """A problem for JSON."""
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "severity": problem.severity,
        "message": problem.message,
    }
