"""`wellkept calendar`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from runner.cli.app import pass_app
from runner.cli.output import Column, show
from runner.errors import UsageError
from runner.wiring import App

if TYPE_CHECKING:
    from runner.operations.time.list_openings import Entry

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
AHEAD_FOR_OTHERS = timedelta(days=366)  # what others subscribe to reaches farther
NOTHING = "Nothing opens in this span. Choose a wider one with --from and --to."


@click.command("calendar")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--from", "from_", default="now", show_default=True, help="The first instant: a date, or a date and time."
)
@click.option("--to", help="The end: a date, a date and time, or a duration.  [default: 31 days later; a year for ics]")
@click.option("--window", metavar="W", help="The openings of one window instead of schedules.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "ics"]),
    default="table",
    show_default=True,
    help="How to give the answer; ics is for calendar programs.",
)
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Write ics there.")
@pass_app
def command(
    app: App, names: tuple[str, ...], from_: str, to: str | None, window: str | None, form: str, output: Path | None
) -> None:
    r"""Show when each schedule may run.

    \b
    wellkept calendar                                      the next 31 days
    wellkept calendar patch-web --from 2026-01-01 --to 2027-01-01
    wellkept calendar --window sunday-night --format json
    wellkept calendar --format ics --output /var/www/html/maintenance.ics
    """
    start, end = span(app, from_, to, AHEAD_FOR_OTHERS if form == "ics" else AHEAD)
    found = openings(app, start, end, names=names, window=window)
    if form == "ics":
        publish(app, found, output)
    else:
        refuse_output(output)
        tell(found, form)


def span(app: App, from_: str, to: str | None, ahead: timedelta) -> tuple[datetime, datetime]:
    """The two instants between which openings are looked for."""
    from runner.cli.instants import parse_instant, parse_until

    zone = app.settings.timezone
    start = parse_instant(from_, now=app.clock(), zone=zone)
    return start, parse_until(to, now=start, zone=zone) if to else start + ahead


def openings(app: App, start: datetime, end: datetime, *, names: Sequence[str], window: str | None) -> list[Entry]:
    """Everything that opens between two instants."""
    from runner.operations.time.list_openings import list_openings

    return list_openings(app.definitions, from_=start, to=end, names=names, window=window)


def publish(app: App, found: Sequence[Entry], output: Path | None) -> None:
    """The calendar file, to a file or to whoever reads our output."""
    from runner.operations.time.publish_openings import publish_openings

    give(publish_openings(found, app.definitions), output)


def give(content: bytes, output: Path | None) -> None:
    """Write a file in one step, so that nobody ever reads half of it; without one, to the standard output."""
    if output is None:
        sys.stdout.buffer.write(content)
        return
    draft = output.with_name(f".{output.name}.new")
    try:
        draft.write_bytes(content)
        draft.replace(output)
    except OSError as problem:
        raise UsageError(
            f"{output}: cannot be written ({problem.strerror}). Name a file in a folder that you may write to."
        ) from problem


def refuse_output(output: Path | None) -> None:
    """A listing goes to the terminal."""
    if output is not None:
        raise UsageError("--output is for --format ics. For others, send the output to a file: > FILE")


def tell(found: Sequence[Entry], form: str) -> None:
    """A listing, with local times for people."""
    rows = [entry.as_row() if form == "json" else for_people(entry.as_row(), entry.zone) for entry in found]
    show("occurrences", rows, COLUMNS, form=form, empty=NOTHING)


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
