"""`wellkept health`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from runner.cli.answers import Cell, plain, say, table
from runner.cli.app import pass_app
from runner.cli.output import show_json
from runner.errors import WellkeptError, count
from runner.wiring import App

if TYPE_CHECKING:
    from runner.domain.health import Finding

EXIT_CODES = {"ok": 0, "warning": 0, "critical": 1, "unknown": 4}
NO_CHECK = "There is no health check. Write one into schedules/health.yml; `wellkept schema health` says how."


@click.command("health")
@click.argument("patterns", metavar="[PATTERN|CHECK]...", nargs=-1)
@click.option("--format", "form", type=click.Choice(["table", "json", "nagios"]), default="table", show_default=True)
@pass_app
def command(app: App, patterns: tuple[str, ...], form: str) -> None:
    r"""Ask hosts and services how they are, now.

    Exit codes: 0 well or a warning, 1 critical, 4 unknown. With --format nagios those of monitoring plugins: 0, 1, 2, 3.

    \b
    wellkept health                   everything
    wellkept health web               the hosts of group web
    wellkept health disk reachable    two checks everywhere
    """
    if form == "nagios":
        raise SystemExit(answer_monitoring(app, patterns))
    findings = ask(app, patterns)
    show(findings, form)
    raise SystemExit(EXIT_CODES[condition_of(findings)])


def ask(app: App, patterns: Sequence[str]) -> list[Finding]:
    """Put the questions, and tell on a terminal how far they have come."""
    from runner.cli.progress import counting
    from runner.operations.check_health import check_health
    from runner.operations.watched_probe import watched

    with counting("Asking") as heard:
        return check_health(patterns, site=watched(app.site, heard))


def condition_of(findings: Sequence[Finding]) -> str:
    """The worst condition of all."""
    from runner.domain.health import worst

    return str(worst(findings))


def show(findings: Sequence[Finding], form: str) -> None:
    """Every answer, worst first, and the sum of them."""
    if form == "json":
        show_json({"condition": condition_of(findings), "findings": plain(findings)})
        return
    table(
        findings,
        [
            Cell("CONDITION", lambda finding: finding.condition),
            Cell("HOST", lambda finding: finding.host),
            Cell("CHECK", lambda finding: finding.check),
            Cell("WHAT", lambda finding: finding.summary),
        ],
        empty=NO_CHECK,
    )
    if findings:
        bad = [finding for finding in findings if finding.condition != "ok"]
        told = f"{len(bad)} of {count(len(findings), 'answer')} need a look." if bad else "All is well."
        say(f"\n{told} Asked just now, and recorded.")


def answer_monitoring(app: App, patterns: Sequence[str]) -> int:
    """One line and a plugin's exit code; whatever is in the way is `unknown`, never taken for an answer about a host."""
    from runner.cli.nagios import UNKNOWN, exit_code_of, line_of

    try:
        findings = ask(app, patterns)
        click.echo(line_of(findings, app.definitions.checks))
        return exit_code_of(condition_of(findings))
    except WellkeptError as error:
        click.echo(f"WELLKEPT UNKNOWN - {' '.join(str(error).split()).replace('|', '/')}")
        return UNKNOWN
