"""Hosts on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runner.cli.answers import Cell, say, table
from runner.cli.times import Clock

if TYPE_CHECKING:
    from runner.operations.describe_hosts import HostLine, HostShown, LookShown
    from runner.operations.trust_host import Shown

GIB = 1024**3


def columns(clock: Clock) -> list[Cell[HostLine]]:
    """What a line tells about a host."""
    return [
        Cell("HOST", lambda host: host.host),
        Cell("INVENTORY", lambda host: host.inventory + standing(host)),
        Cell("LAST OUTCOME", lambda host: host.outcome),
        Cell("RUN", lambda host: f"{host.run} {host.schedule}" if host.run else ""),
        Cell("WHEN", lambda host: clock.age(host.ended)),
        Cell("HEALTH", lambda host: host.health),
        Cell("DEBTS", lambda host: host.debts or ""),
        Cell("TICKETS", lambda host: host.tickets or ""),
    ]


def standing(host: HostLine) -> str:
    """Whether it is there at all."""
    if host.present:
        return ""
    return " (retired)" if host.retired else " (MISSING)"


def show_screen(host: HostShown, clock: Clock) -> None:
    """The host for a person."""
    say(f"{host.host} in inventory {host.inventory}{' (retired)' if host.retired else ''}")
    say(look_in_words(host.look, clock))
    part("Outcomes")
    table(
        host.outcomes,
        [
            Cell("RUN", lambda row: row.run),
            Cell("SCHEDULE", lambda row: row.schedule),
            Cell("OUTCOME", lambda row: row.outcome),
            Cell("CAUSE", lambda row: row.cause),
            Cell("PACKAGES", lambda row: row.packages),
            Cell(clock.heading("ENDED"), lambda row: clock.both(row.ended)),
        ],
        empty="No run has had it yet. `wellkept calendar` shows which schedule may.",
    )
    part("Health")
    table(
        host.health,
        [
            Cell("CHECK", lambda row: row.check),
            Cell("CONDITION", lambda row: row.condition),
            Cell("WHAT", lambda row: row.summary),
            Cell("SINCE", lambda row: clock.age(row.since)),
            Cell("ASKED", lambda row: clock.age(row.asked)),
        ],
        empty=f"No health check was put to it yet. `wellkept health {host.host}` asks.",
    )
    show_open_ends(host, clock)


def show_open_ends(host: HostShown, clock: Clock) -> None:
    """What is still to be done about it."""
    for debt in host.debts:
        windows = "1 window" if debt.windows == 1 else f"{debt.windows} windows"
        say(f"\nIt owes {debt.schedule} a run, since {clock.both(debt.since)} ({windows}).")
    part("Tickets")
    table(
        host.tickets,
        [
            Cell("TICKET", lambda row: row.number),
            Cell("STATE", lambda row: row.state),
            Cell("PRIORITY", lambda row: row.priority),
            Cell("TITLE", lambda row: row.title),
            Cell("CHANGED", lambda row: clock.age(row.updated)),
        ],
        empty="None.",
    )


def part(words: str) -> None:
    """The heading of a part."""
    click.echo(f"\n{click.style(words, bold=True)}")


def look_in_words(look: LookShown | None, clock: Clock) -> str:
    """What was seen there last."""
    if look is None:
        return "No run has looked at it yet."
    free = ", ".join(f"{size / GIB:.1f} GiB free on {place}" for place, size in look.free_bytes.items())
    told = [
        f"Seen by run {look.run}, {clock.both(look.at)}: {look.system or 'unknown system'}, kernel {look.kernel or 'unknown'}",
        f"{look.packages} packages",
        f"NOT properly installed: {', '.join(look.broken)}" if look.broken else "",
        "REBOOT needed" if look.reboot_required else "no reboot needed",
        free,
    ]
    return "; ".join(part for part in told if part)


def show_key(shown: Shown) -> None:
    """The key that a host shows, beside those that are known for it."""
    seen = shown.seen
    say(f"{shown.host} ({seen.address}, known in {seen.file})")
    for key in seen.known:
        say(f"  known  {key.kind:<20} {key.fingerprint} {key.marker}".rstrip())
    if not seen.known:
        say("  known  no key")
    say(f"  shows  {seen.shown.kind:<20} {seen.shown.fingerprint}")
