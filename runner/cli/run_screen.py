"""One run on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runner.cli.answers import Cell, say, table
from runner.cli.times import Clock

if TYPE_CHECKING:
    from runner.operations.execution.show_run import HostOfRun, PieceShown, RunShown

INDENT = "  "
MOST_LINES = 6  # of a message


def show_screen(run: RunShown, clock: Clock) -> None:
    """The run for a person, the hosts that need one first."""
    say(f"Run {run.number}: {run.title} ({run.schedule}){' in check mode' if run.check_mode else ''}")
    say(run.summary)
    for name, words in facts(run, clock):
        say(f"  {name:<10} {words}")
    click.echo("")
    table(run.hosts, host_cells(), empty="No host was planned.")
    for host in run.hosts:
        show_trouble(host)
    click.echo("")
    table(run.pieces, piece_cells(clock), empty="No piece of it has been planned yet.")
    for ticket in run.tickets:
        say(f"Ticket {ticket.number} ({ticket.state}): {ticket.title}")


def facts(run: RunShown, clock: Clock) -> list[tuple[str, str]]:
    """Who, when, from which files, and what was out of the ordinary."""
    files = "not kept" if run.dirty is None else (run.commit or "no commit") + (", with changes" if run.dirty else "")
    late = f", {run.late_seconds:.0f} s after its opening" if run.late_seconds else ""
    told = [
        ("asked by", f"{run.requested_by} ({run.trigger}){late}"),
        ("created", f"{clock.both(run.created)}, {clock.zone}"),
        ("ended", clock.both(run.ended)),
        ("files", f"{files}; plan {run.plan_digest[:12]}"),
        ("waves", f"{', '.join(run.waves)}; failure budget {run.budget}"),
        ("approved", f"by {run.approval.words}, {clock.both(run.approval.at)}" if run.approval else ""),
        ("override", run.override or ""),
        ("stopped", f"{run.stop_request} asked by {run.stopped_by}" if run.stop_request else ""),
    ]
    return [(name, words) for name, words in told if words]


def host_cells() -> list[Cell[HostOfRun]]:
    """What a line tells about a host."""
    return [
        Cell("HOST", lambda host: host.host),
        Cell("OUTCOME", lambda host: host.outcome),
        Cell("TRIES", lambda host: str(host.attempts) if (host.attempts or 0) > 1 else ""),
        Cell("CAUSE", lambda host: host.cause),
        Cell("ROLLBACK", lambda host: host.rollback),
        Cell("REBOOT", lambda host: "done" if host.rebooted else "needed" if host.reboot_needed else ""),
        Cell("PACKAGES", lambda host: host.packages),
    ]


def piece_cells(clock: Clock) -> list[Cell[PieceShown]]:
    """What a line tells about a piece."""
    return [
        Cell("WAVE", lambda piece: piece.wave),
        Cell("BATCH", lambda piece: piece.batch),
        Cell(
            "STAGE",
            lambda piece: f"{piece.stage} {piece.step + 1}" + (f", try {piece.attempt}" if piece.attempt > 1 else ""),
        ),
        Cell(
            "STATE",
            lambda piece: piece.state if piece.complete or piece.ended is None else f"{piece.state}, not all heard",
        ),
        Cell("HOSTS", lambda piece: piece.hosts),
        Cell("STARTED", lambda piece: clock.time(piece.started)),
        Cell("ENDED", lambda piece: clock.time(piece.ended)),
        Cell("PROBLEM", lambda piece: piece.problem),
    ]


def show_trouble(host: HostOfRun) -> None:
    """Why a host did not end well: in plain words, then the beginning of the message itself."""
    if not host.words:
        return
    say(f"\n{host.host}: {host.words}")
    lines = [line.rstrip() for line in host.text.splitlines() if line.strip()]
    if lines and host.task:
        say(f"{INDENT}Task {host.task!r} said:")
    for line in lines[:MOST_LINES]:
        say(f"{INDENT * 2}{line}")
    if len(lines) > MOST_LINES:
        say(f"{INDENT * 2}… (--format json has all of it)")
