"""`wellkept report`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from runner.cli.app import pass_app
from runner.wiring import App

if TYPE_CHECKING:
    from runner.domain.report import ReportDefinition

FOLDER = Path("reports", "output")


@click.command("report")
@click.argument("name", metavar="NAME|EDITION")
@click.option(
    "--period", metavar="P", help="last_week, last_month, last_quarter, 2026-Q3, 2026-10 or 2026-10-01..2026-10-15."
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(["html", "json"]),
    help="May be given twice; both without it.",
)
@click.option("--output", metavar="DIR", type=click.Path(path_type=Path), help="Where to, instead of reports/output.")
@pass_app
def command(app: App, name: str, period: str | None, formats: tuple[str, ...], output: Path | None) -> None:
    r"""Write a report of a period.

    \b
    wellkept report auditor                            last month, for an auditor
    wellkept report monthly-audit --period 2026-Q3     one that reports/ defines, of another period
    """
    from runner.operations.record.choose_report import report_named

    report = report_named(name, app.definitions)
    for path in write(app, report, period=period or report.period, formats=formats, folder=output or app.root / FOLDER):
        click.echo(path)


def write(app: App, report: ReportDefinition, *, period: str, formats: Sequence[str], folder: Path) -> list[Path]:
    """Write it with what this maintenance repository says about itself."""
    from runner.operations.describe_hosts import Inventories
    from runner.operations.record.choose_report import period_named, scope_of
    from runner.operations.record.write_report import write_report

    zone = ZoneInfo(app.settings.timezone)
    return write_report(
        app.store,
        report,
        period=period_named(period, now=app.clock(), zone=zone),
        folder=folder,
        formats=formats,
        organisation=app.settings.organisation,
        timezone=zone,
        generated_at=app.clock(),
        actor=app.actor,
        versions=app.site.versions,
        scope=scope_of(report, app.definitions, Inventories(app.settings, app.inventories)),
    )
