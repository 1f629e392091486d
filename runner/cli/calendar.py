"""`wellkept calendar`."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import click

from runner.cli.app import pass_app
from runner.cli.instants import next_option
from runner.cli.output import Column, format_option, show
from runner.wiring import App

COLUMNS = [
    Column("OPENS", "when"),
    Column("CLOSES", "until"),
    Column("ZONE", "zone"),
    Column("SCHEDULE", "schedule"),
    Column("WINDOW", "window"),
    Column("USABLE", "usable"),
    Column("STATE", "state"),
    Column("NOTES", "notes"),
]
AHEAD = timedelta(days=31)
NOTHING = "Nothing opens in this span. Choose a wider one with --from and --to."


@click.command("calendar")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--from", "from_", default="now", show_default=True, help="The first instant: a date, or a date and time."
)
@click.option("--to", help="The end: a date, a date and time, or a duration.  [default: 31 days later]")
@next_option
@click.option("--window", metavar="W", help="The openings of one window instead of schedules.")
@format_option
@pass_app
def command(
    app: App, names: tuple[str, ...], from_: str, to: str | None, coming: str | None, window: str | None, form: str
) -> None:
    r"""Show when each schedule may run.

    \b
    wellkept calendar                                      the next 31 days
    wellkept calendar patch-web --from 2026-01-01 --to 2027-01-01
    wellkept calendar --window sunday-night --format json
    wellkept calendar --next weekend
    """
    from runner.operations.time.list_openings import list_openings

    start, end = span_of(app, from_, to, coming)
    found = list_openings(app.definitions, from_=start, to=end, names=names, window=window)
    rows = [entry.as_row() if form == "json" else for_people(entry.as_row(), entry.zone) for entry in found]
    show("occurrences", rows, COLUMNS, form=form, empty=NOTHING)


def span_of(app: App, from_: str, to: str | None, named: str | None) -> tuple[datetime, datetime]:
    """The span that was asked for, by its name or by its ends."""
    from runner.cli.instants import parse_instant, parse_until
    from runner.domain.time.coming import coming

    zone = app.settings.timezone
    if named:
        return coming(named, now=app.clock(), zone=ZoneInfo(zone))
    start = parse_instant(from_, now=app.clock(), zone=zone)
    return start, parse_until(to, now=start, zone=zone) if to else start + AHEAD


def for_people(row: dict[str, object], zone: str) -> dict[str, object]:
    """A line with local times, and the usable length in hours and minutes."""
    opens, closes = (datetime.fromisoformat(str(row[key])).astimezone(ZoneInfo(zone)) for key in ("opens", "closes"))
    hours, minutes = divmod(int(str(row["usable_minutes"])), 60)
    return {
        **row,
        "when": f"{opens:%a %Y-%m-%d %H:%M}",
        "until": f"{closes:%a %H:%M}",
        "zone": zone,
        "usable": f"{hours}h{minutes:02d}",
    }
