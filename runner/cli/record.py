"""`wellkept record`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from runner.cli.answers import Cell, limit_option, listing, plain, say
from runner.cli.app import pass_app
from runner.cli.output import format_option, show_json
from runner.cli.times import Clock
from runner.errors import BadResult, count
from runner.wiring import App

if TYPE_CHECKING:
    from runner.operations.record.show_record import EntryShown
    from runner.operations.record.verify_record import RecordReport

FOLDER = click.Path(path_type=Path)
MOST_FAULTS = 20


@click.group("record")
def command() -> None:
    r"""Show, export and verify the record.

    \b
    wellkept record show --stream run:12    what was decided in run 12
    wellkept record export DIR              a copy that anybody can check, without Wellkept
    wellkept record verify [DIR]            the record, or such a copy: is every entry as it was written?
    wellkept record checkpoint              sign where the record stands now
    """


@command.command("show")
@click.option("--stream", default="installation", show_default=True, help="installation, run:12 or piece:ID.")
@limit_option
@format_option
@pass_app
def show(app: App, stream: str, limit: int, form: str) -> None:
    """Show the latest entries of a stream, in their order."""
    from runner.operations.record.show_record import show_record

    found = show_record(stream, limit=limit, store=app.store)
    clock = Clock(app.clock(), app.settings.timezone)
    cells: list[Cell[EntryShown]] = [
        Cell("NUMBER", lambda entry: entry.seq),
        Cell(clock.heading("WHEN"), lambda entry: clock.time(entry.at)),
        Cell("ACTION", lambda entry: entry.action),
        Cell("WHAT", lambda entry: in_short(entry.body)),
    ]
    listing("entries", found, cells, form=form, empty="Nothing has been recorded in this stream yet.")


def in_short(body: Mapping[str, object]) -> str:
    """What an entry says beside its action; --format json has all of it."""
    told = ", ".join(
        f"{key} {value}" for key, value in body.items() if key != "action" and value not in ("", None, [], {})
    )
    return told if len(told) <= 160 else f"{told[:159]}…"  # noqa: PLR2004  two lines of a screen


@command.command("export")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--from", "from_", metavar="T", help="Only what was recorded from then on.")
@click.option("--to", metavar="T", help="Only what was recorded before.")
@click.option("--run", metavar="RUN", help="Only this run.")
@pass_app
def export(app: App, folder: Path, from_: str | None, to: str | None, run: str | None) -> None:
    """Copy the record into a new folder, where it can be checked without Wellkept."""
    from runner.cli.instants import parse_instant
    from runner.operations.record.export_record import export_record

    zone, now = app.settings.timezone, app.clock()
    first, last = (parse_instant(text, now=now, zone=zone) if text else None for text in (from_, to))
    made = export_record(app.store, folder, from_=first, to=last, run=run)
    parts = (count(made.streams, "stream"), f"{made.entries} entries", count(made.checkpoints, "checkpoint"))
    click.echo(f"{made.folder}: {', '.join(parts)}. Its README says how to check it.")


@command.command("verify")
@click.argument("folder", metavar="[DIR]", required=False, type=FOLDER)
@click.option(
    "--key", "keys", multiple=True, type=click.File(), help="A public key that you trust; only what it signed counts."
)
@format_option
@pass_app
def verify(app: App, folder: Path | None, keys: tuple[TextIO, ...], form: str) -> None:
    """Check every hash and every signature, of the record or of an exported copy."""
    from runner.operations.record.verify_record import verify_record

    trusted = [key.read() for key in keys] or None
    report = verify_record(folder or app.store, verify_signature=app.verify_signature, trusted_keys=trusted)
    if form == "json":
        show_json({"whole": report.is_whole, "report": plain(report)})
    else:
        show_report(report)
    raise SystemExit(0 if report.is_whole else BadResult.exit_code)


def show_report(report: RecordReport) -> None:
    """What was checked, what was found, and how far signatures reach."""
    say(
        f"Checked {report.entries} entries in {count(report.streams, 'stream')}, {count(report.checkpoints, 'checkpoint')}, "
        f"{count(report.approvals, 'signed approval')}."
    )
    for fault in report.faults[:MOST_FAULTS]:
        say(f"  {fault.kind}: {fault.stream}{f' entry {fault.seq}' if fault.seq else ''}: {fault.text}")
    if len(report.faults) > MOST_FAULTS:
        say(f"  … and {len(report.faults) - MOST_FAULTS} more")
    if report.is_whole:
        say("Every entry is as it was written.")
    else:
        say(
            f"THE RECORD IS NOT WHOLE: {count(len(report.faults), 'fault')}. Compare it with an exported copy or a backup."
        )
    say(f"Signed up to entry {report.signed_until} of {report.last}; keys: {', '.join(report.keys) or 'none yet'}.")
    if report.signed_until < report.last:
        say("What comes after that is only chained. `wellkept record checkpoint` signs it.")


@command.command("checkpoint")
@pass_app
def checkpoint(app: App) -> None:
    """Sign where the record stands now."""
    from runner.operations.record.write_checkpoint import write_checkpoint

    signed = write_checkpoint(app.store, app.signer, clock=app.clock)
    for each in signed:
        click.echo(f"{each.stream}: signed up to entry {each.seq}, by {each.key_id}")
    if not signed:
        click.echo("Everything is signed already.")
