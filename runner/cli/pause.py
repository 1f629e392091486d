"""`wellkept pause`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from runner.cli.answers import say
from runner.cli.app import pass_app
from runner.cli.times import Clock
from runner.errors import UsageError, count
from runner.wiring import App

if TYPE_CHECKING:
    from runner.operations.pause_maintenance import Named, Order

NAMED = 12  # hosts that are named
IN_FLIGHT = {
    "finish": "What is in flight is finished; nothing new begins.",
    "stop": "What is in flight is ended within seconds; hosts may be left half-way, and are looked at before anything touches them again.",
}


@click.command("pause")
@click.option("--hosts", default="", metavar="PATTERN", help="Only these hosts; everything without it.")
@click.option("--reason", required=True, help="Why; everybody who finds it paused reads this.")
@click.option("--for", "span", metavar="SPAN", help="How long, such as 4h.")
@click.option("--until", metavar="T", help="Until when, such as 22:00 or '2026-03-22 04:00'.")
@click.option(
    "--in-flight",
    type=click.Choice(["finish", "stop"]),
    default="finish",
    show_default=True,
    help="What becomes of batches that are going on.",
)
@pass_app
def command(app: App, hosts: str, reason: str, span: str | None, until: str | None, in_flight: str) -> None:
    r"""Touch nothing new until somebody resumes.

    It binds every run that changes something, also by hand, here and in a daemon, within seconds. Without an end it lasts until
    `wellkept resume`. Health checks, read-only work and check mode go on. A batch in which one host is stopped ends as a whole.
    Without the database: write the reason into a file PAUSE in the state folder; whoever removes it resumes.

    \b
    wellkept pause --reason "storage is being moved" --for 4h
    wellkept pause --hosts db --reason "month-end" --until "2026-03-31 20:00"
    wellkept pause --reason "the shop is down" --in-flight stop
    """
    from runner.cli.hosts import inventories
    from runner.operations.pause_maintenance import Order, pause_maintenance

    order = Order(reason=reason, hosts=hosts, until=end_of(app, span, until), in_flight=in_flight)
    named = pause_maintenance(order, among=inventories(app), by=app.actor, store=app.store, clock=app.clock)
    tell(order, named, by=str(app.actor), clock=Clock(app.clock(), app.settings.timezone))


def end_of(app: App, span: str | None, until: str | None) -> datetime | None:
    """When it ends by itself; raises UsageError for two ends."""
    from runner.cli.instants import parse_until

    if span and until:
        raise UsageError("Give --for or --until, not both.")
    text = span or until
    return parse_until(text, now=app.clock(), zone=app.settings.timezone) if text else None


def tell(order: Order, named: Named, *, by: str, clock: Clock) -> None:
    """What is paused now, until when, and how to go on."""
    until = f"until {clock.both(order.until)}" if order.until else "until somebody resumes"
    what = f"{order.hosts!r}, {count(len(named.hosts), 'host')} now," if order.hosts else "Everything"
    say(f"{what} is paused {until}: {order.reason}. Recorded as {by}.")
    if named.hosts:
        say(f"  {', '.join([*named.hosts[:NAMED], *(['…'] if len(named.hosts) > NAMED else [])])}")
    for error in named.errors:
        click.echo(f"The pattern could not be looked at in full: {error}", err=True)
    say(IN_FLIGHT[order.in_flight])
    option = f" --hosts '{order.hosts}'" if order.hosts else ""
    say(f"To go on: wellkept resume{option}")
