"""`wellkept calendar`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from runner.cli.answers import printable
from runner.cli.app import pass_app
from runner.cli.calendar_asked import Asked
from runner.cli.instants import next_option
from runner.cli.output import Column, show, show_json
from runner.errors import UsageError
from runner.wiring import App

if TYPE_CHECKING:
    from runner.operations.time.list_cadences import Cadence
    from runner.operations.time.list_openings import Entry
    from runner.operations.time.look_at_hosts import HostsLookedAt

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
THIS_YEAR = "this one"
NOW = "now"


@click.command("calendar")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--from", "from_", default=NOW, show_default=True, help="The first instant: a date, or a date and time.")
@click.option("--to", help="The end: a date, a date and time, or a duration.  [default: 31 days later; a year for ics]")
@next_option
@click.option(
    "--year",
    is_flag=False,
    flag_value=THIS_YEAR,
    metavar="[YEAR]",
    help="A whole year instead; this one if none is named.",
)
@click.option(
    "--hosts",
    is_flag=True,
    help="Read the inventories, too, which takes a second or more: tells which schedules meet on a host, hosts that no schedule covers, services that are "
    "upgraded too rarely, and sees freezes that are for services.",
)
@click.option("--window", metavar="W", help="The openings of one window instead of schedules.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "ics", "html"]),
    default="table",
    show_default=True,
    help="How to give the answer: ics is for calendar programs, html is a year on one page, to be printed.",
)
@click.option(
    "--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Write ics or html there."
)
@pass_app
def command(
    app: App,
    names: tuple[str, ...],
    from_: str,
    to: str | None,
    year: str | None,
    coming: str | None,
    window: str | None,
    form: str,
    output: Path | None,
    hosts: bool,
) -> None:
    r"""Show when each schedule may run.

    \b
    wellkept calendar                                      the next 31 days
    wellkept calendar patch-web --from 2026-01-01 --to 2027-01-01
    wellkept calendar --window sunday-night --format json
    wellkept calendar --next weekend
    wellkept calendar --hosts                              and who meets whom, and whom nobody covers
    wellkept calendar --format ics --output /var/www/html/maintenance.ics
    wellkept calendar --year 2027 --format html --output 2027.html
    """
    asked = Asked(names, from_, to, year, coming, window, form, output, hosts)
    if asked.form in FILES:
        give(FILES[asked.form](app, asked), asked.output)
    else:
        refuse_output(asked.output)
        answer(app, asked)


def span(app: App, asked: Asked, ahead: timedelta) -> tuple[datetime, datetime]:
    """The two instants between which openings are looked for; raises UsageError when several spans are named."""
    from runner.cli.instants import parse_instant, parse_until
    from runner.domain.time.coming import coming

    zone = app.settings.timezone
    refuse_two_spans(asked)
    if asked.year:
        year = year_of(app, asked)
        return datetime(year, 1, 1, tzinfo=ZoneInfo(zone)), datetime(year + 1, 1, 1, tzinfo=ZoneInfo(zone))
    if asked.coming:
        return coming(asked.coming, now=app.clock(), zone=ZoneInfo(zone))
    start = parse_instant(asked.from_, now=app.clock(), zone=zone)
    return start, parse_until(asked.to, now=start, zone=zone) if asked.to else start + ahead


def refuse_two_spans(asked: Asked) -> None:
    """One span is looked at; a second one would be left out in silence."""
    between = "--from and --to" if asked.from_ != NOW or asked.to else None
    named = [name for name in (between, asked.coming and "--next", asked.year and "--year") if name]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} each name a span. Keep one of them.")
    if asked.form == "html" and named not in ([], ["--year"]):
        raise UsageError(f"--format html is a whole year. Write --year 2027 in place of {named[0]}.")


def year_of(app: App, asked: Asked) -> int:
    """The year that was asked for; the present one when none was named."""
    from runner.operations.time.draw_year import span_of

    text = asked.year or THIS_YEAR
    if text == THIS_YEAR:
        return today(app).year
    if not (text.isascii() and text.isdigit()):
        raise UsageError(
            f"--year: {text!r} is no year. Write it such as --year 2027, and names of schedules before it."
        )
    span_of(int(text))
    return int(text)


def today(app: App) -> date:
    """The date by the clock of the maintenance repository."""
    return app.clock().astimezone(ZoneInfo(app.settings.timezone)).date()


def calendar_file(app: App, asked: Asked) -> bytes:
    """The openings as a file for calendar programs."""
    from runner.cli.calendar_entries import look_up
    from runner.operations.time.publish_openings import publish_openings

    found = look_up(app, asked, *span(app, asked, AHEAD_FOR_OTHERS))
    return publish_openings(found.entries, found.definitions)


def year_page(app: App, asked: Asked) -> bytes:
    """A year on one page."""
    from runner.cli.calendar_entries import look_up
    from runner.operations.time.draw_year import draw_year, span_of

    refuse_two_spans(asked)
    year = year_of(app, asked)
    found = look_up(app, asked, *span_of(year))
    return draw_year(year, found.entries, found.definitions, as_of=today(app))


FILES: Mapping[str, Callable[[App, Asked], bytes]] = {"ics": calendar_file, "html": year_page}


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
        raise UsageError("--output is for --format ics and html. For others, send the output to a file: > FILE")


def answer(app: App, asked: Asked) -> None:
    """A listing, and what the hosts tell if they were asked for."""
    from runner.cli.calendar_entries import look_up
    from runner.operations.time.list_cadences import list_cadences
    from runner.operations.time.look_at_hosts import look_at_hosts, with_collisions

    found = look_up(app, asked, *span(app, asked, AHEAD))
    cadences = [] if asked.window else list_cadences(found.definitions, names=asked.names)
    if found.inventoried is None:
        tell(found.entries, cadences, asked.form)
        return
    seen = look_at_hosts(found.entries, found.inventoried, now=app.clock())
    tell(with_collisions(found.entries, seen.collisions), cadences, asked.form, seen)


def tell(found: Sequence[Entry], cadences: Sequence[Cadence], form: str, seen: HostsLookedAt | None = None) -> None:
    """The openings, with local times for people, what has none as it runs all the time, and what was seen of the hosts."""
    from runner.cli.answers import plain
    from runner.cli.calendar_hosts import tell_hosts

    if form == "json":
        rows = [entry.as_row() for entry in found]
        show_json({"occurrences": rows, "cadences": list(cadences), **(as_object(plain(seen)) if seen else {})})
        return
    show("occurrences", [for_people(entry) for entry in found], COLUMNS, form=form, empty=NOTHING)
    for each in cadences:
        click.echo(f"Without a window: {each['schedule']}, every {each['every']}. It changes nothing.")
    if seen:
        tell_hosts(seen)


def as_object(value: object) -> dict[str, object]:
    """The members of a value for JSON."""
    return value if isinstance(value, dict) else {}


def for_people(entry: Entry) -> dict[str, object]:
    """A line with local times, the usable length in hours and minutes, and the reason among the notes."""
    zone, opening = ZoneInfo(entry.zone), entry.opening
    minutes = round((opening.usable_until - opening.usable_from) / timedelta(minutes=1))
    return {
        "when": f"{opening.opens.astimezone(zone):%a %Y-%m-%d %H:%M}",
        "until": f"{opening.closes.astimezone(zone):%a %H:%M}",
        "zone": entry.zone,
        "schedule": printable(entry.schedule),
        "window": entry.window,
        "usable": f"{minutes // 60}h{minutes % 60:02d}",
        "state": entry.state,
        "notes": [printable(note) for note in (entry.reason, *opening.notes) if note],
    }
