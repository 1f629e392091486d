"""`wellkept tickets`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runner.cli.answers import limit_option, listing, plain
from runner.cli.app import pass_app
from runner.cli.output import format_option, show_json
from runner.cli.ticket_screen import columns, show_screen
from runner.cli.times import Clock
from runner.errors import UsageError
from runner.wiring import App

if TYPE_CHECKING:
    from runner.operations.tickets.work_on_ticket import Work

PRIORITIES = ["low", "medium", "high", "critical"]


@click.group("tickets")
def command() -> None:
    r"""List tickets, show one, or work on it.

    \b
    wellkept tickets list                                 what waits for a person, the most urgent first
    wellkept tickets show 412                             what happened, what is needed, and the history
    wellkept tickets ack 412                              you look after it
    wellkept tickets resolve 412 --cause "…" --fix "…"    what it was, and what helped
    wellkept tickets resolve 413 --done "…"               a duty that somebody has done
    """


@command.command("list")
@click.option("--all", "with_resolved", is_flag=True, help="Also the resolved ones.")
@click.option("--host", metavar="HOST", help="Only those about this host.")
@limit_option
@format_option
@pass_app
def list_(app: App, with_resolved: bool, host: str | None, limit: int, form: str) -> None:
    """List tickets, the most urgent first."""
    from runner.operations.tickets.show_ticket import list_tickets

    found = list_tickets(store=app.store, with_resolved=with_resolved, host=host)
    empty = "No ticket is open. `--all` shows resolved ones, `wellkept tickets open` opens one."
    listing("tickets", found, columns(Clock(app.clock(), app.settings.timezone)), form=form, empty=empty, limit=limit)


@command.command("show")
@click.argument("ticket")
@format_option
@pass_app
def show(app: App, ticket: str, form: str) -> None:
    """Show one ticket with its history."""
    from runner.operations.tickets.show_ticket import show_ticket

    found = show_ticket(ticket, store=app.store)
    if form == "json":
        show_json({"ticket": plain(found)})
    else:
        show_screen(found, Clock(app.clock(), app.settings.timezone))


@command.command("open")
@click.argument("title")
@click.option(
    "--host", "hosts", multiple=True, metavar="HOST", help="Which host it is about; may be given several times."
)
@click.option("--text", default="", help="More about it.")
@click.option("--priority", type=click.Choice(PRIORITIES), default="medium", show_default=True)
@click.option("--owner", metavar="NAME", help="The person or team that answers for it.")
@click.option("--inventory", metavar="NAME", help="The inventory that the hosts are from.")
@pass_app
def open_(
    app: App, title: str, hosts: tuple[str, ...], text: str, priority: str, owner: str | None, inventory: str | None
) -> None:
    """Open a ticket by hand."""
    from runner.domain.tickets.ticket import Priority
    from runner.operations.tickets.work_on_ticket import Wish, open_ticket, somebody

    owner = somebody(owner, app.settings) if owner else None
    wish = Wish(title, inventory_of(app, inventory), hosts, text, Priority(priority), owner)
    filed = open_ticket(wish, by=app.actor, store=app.store, clock=app.clock)
    done = "is open" if filed.opened else f"was open already and is counted up to {filed.ticket.count}"
    click.echo(f"Ticket {filed.ticket.number} {done}: {filed.ticket.title}")


def inventory_of(app: App, named: str | None) -> str:
    """The inventory that was named, else the default one."""
    known = app.settings.inventories
    chosen = named or app.settings.default_inventory or ""
    if chosen not in known and (named or len(known) > 1):
        raise UsageError(f"Say which inventory: --inventory {' or '.join(sorted(known))}.")
    return chosen or next(iter(known), "")


@command.command("ack")
@click.argument("ticket")
@click.argument("text", default="")
@pass_app
def ack(app: App, ticket: str, text: str) -> None:
    """Acknowledge a ticket: you look after it."""
    from runner.operations.tickets.work_on_ticket import Deed, Work

    work_on(app, ticket, Work(Deed.ACKNOWLEDGE, text))


@command.command("assign")
@click.argument("ticket")
@click.argument("to")
@pass_app
def assign(app: App, ticket: str, to: str) -> None:
    """Give a ticket to a person or team; `nobody` takes it back."""
    from runner.operations.tickets.work_on_ticket import Deed, Work, somebody

    work_on(app, ticket, Work(Deed.ASSIGN, to=None if to == "nobody" else somebody(to, app.settings)))


@command.command("note")
@click.argument("ticket")
@click.argument("text")
@pass_app
def note(app: App, ticket: str, text: str) -> None:
    """Add to a ticket's history."""
    from runner.operations.tickets.work_on_ticket import Deed, Work

    work_on(app, ticket, Work(Deed.NOTE, text))


@command.command("resolve")
@click.argument("ticket")
@click.option("--cause", default="", help="What it was.")
@click.option("--fix", default="", help="What was done about it.")
@click.option("--done", default="", help="What was done, for a duty or a review: it needs no cause and no fix.")
@pass_app
def resolve(app: App, ticket: str, cause: str, fix: str, done: str) -> None:
    """Resolve a ticket; it needs a cause and a fix, which help with the next one like it, and a duty what was done."""
    from runner.operations.tickets.work_on_ticket import Deed, Work

    work_on(app, ticket, Work(Deed.RESOLVE, done, cause=cause, fix=fix))


@command.command("reopen")
@click.argument("ticket")
@click.argument("text")
@pass_app
def reopen(app: App, ticket: str, text: str) -> None:
    """Reopen a resolved ticket, and say why."""
    from runner.operations.tickets.work_on_ticket import Deed, Work

    work_on(app, ticket, Work(Deed.REOPEN, text))


def work_on(app: App, name: str, work: Work) -> None:
    """Do it, and say how the ticket stands then."""
    from runner.operations.tickets.work_on_ticket import work_on_ticket

    ticket = work_on_ticket(name, work, by=app.actor, store=app.store, clock=app.clock)
    who = f", assigned to {ticket.assigned_to}" if ticket.assigned_to else ""
    click.echo(f"Ticket {ticket.number} is {ticket.state}{who}: {work.deed} by {app.actor}.")
