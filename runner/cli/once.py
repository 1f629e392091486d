"""`wellkept once`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from runner.cli.app import pass_app
from runner.wiring import App

if TYPE_CHECKING:
    from runner.operations.execution.plan_occurrence import Plan


@click.command("once")
@click.argument("playbook")
@click.option("--hosts", required=True, metavar="PATTERN", help="An Ansible host pattern.")
@click.option("--at", "at_text", required=True, metavar="T", help="When it opens: 'today 22:00', 'tomorrow 22:00', or a date and time.")  # fmt: skip
@click.option("--for", "span", required=True, metavar="SPAN", help="How long it is open, such as 2h.")
@click.option("--why", required=True, help="What it is good for, in plain words; reports print it.")
@click.option("--inventory", metavar="NAME", help="An inventory of wellkept.yml; otherwise the default one.")
@click.option(
    "--effect",
    type=click.Choice(["change", "reboot", "network", "firmware"]),
    default="change",
    show_default=True,
    help="What the playbook does to a host.",
)
@click.option("--whole", is_flag=True, help="Call Ansible once for all hosts, not once per batch.")
@click.option(
    "--emergency", is_flag=True, help="An emergency change: it passes freezes that allow those, and reports tell."
)
@pass_app
def command(
    app: App,
    playbook: str,
    hosts: str,
    at_text: str,
    span: str,
    why: str,
    inventory: str | None,
    effect: str,
    whole: bool,
    emergency: bool,
) -> None:
    r"""Plan a playbook for one time, with every guard and without a file.

    One slot is written into the ledger under a name of its own. It is held, missed, waived, reported like any other; canary, waves
    and failure budget have their defaults. It runs when a daemon serves. What could never run then, as in a freeze, is refused with exit code 3.

    \b
    wellkept once playbooks/restart.yml --hosts web --at "today 22:00" --for 2h --why "the certificate is new"
    wellkept once playbooks/fix.yml --hosts db --at "2026-03-28 22:00" --for 1h --why "hole in openssl" --emergency
    """
    from runner.cli.instants import parse_instant
    from runner.operations.time.plan_once import Wanted, plan_once

    at = parse_instant(at_text, now=app.clock(), zone=app.settings.timezone)
    what = Wanted(playbook=playbook, hosts=hosts, at=at, span=span, why=why, inventory=inventory, effect=effect)
    tell(app, plan_once(replace(what, whole=whole, emergency=emergency), site=app.site))


def tell(app: App, plan: Plan) -> None:
    """The plan, and what may be done about it."""
    from runner.cli.plan import block_of
    from runner.store.execution import daemons

    name, day = plan.schedule.name, plan.opening.rule_date if plan.opening else ""
    click.echo(block_of(plan, app))
    click.echo(f"\nThis slot is written down as {name}. Recorded as {app.actor}.")
    click.echo(f"To leave it out after all: wellkept runs waive {name} {day} --reason '…'")
    if not app.store.read(daemons.alive):
        click.echo("No daemon is serving, and nothing else starts it. Start one: wellkept serve", err=True)
