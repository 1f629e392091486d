"""`wellkept hosts`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from runner.cli.answers import listing, plain, say
from runner.cli.app import pass_app
from runner.cli.host_screen import columns, show_key, show_screen
from runner.cli.output import format_option, show_json
from runner.cli.times import Clock
from runner.errors import Unknown, UsageError, count
from runner.wiring import App

if TYPE_CHECKING:
    from runner.operations.describe_hosts import Inventories
    from runner.ports import HostKeys

NO_HOST = "No inventory has a host. See `inventories:` in wellkept.yml; `wellkept doctor` tells what Ansible says."
inventory_option = click.option("--inventory", metavar="NAME", help="The inventory, when several have such a host.")


@click.group("hosts")
def command() -> None:
    r"""List hosts, show one, trust its key, or retire it.

    \b
    wellkept hosts list 'web:&linux'                             an Ansible pattern; all without one
    wellkept hosts show web-03                                   last look, outcomes, debts, health, tickets
    wellkept hosts trust web-03                                  its key is new or has changed: look at both, then decide
    wellkept hosts retire web-03 --reason "replaced by web-04"   it is gone for good
    """


@command.command("list")
@click.argument("pattern", default="all")
@click.option(
    "--limit", metavar="N", type=click.IntRange(1, 100_000), default=200, show_default=True, help="At most this many."
)
@format_option
@pass_app
def list_(app: App, pattern: str, limit: int, form: str) -> None:
    """List hosts with their last outcome; those that an inventory has lost stay listed until they are retired."""
    from runner.operations.describe_hosts import list_hosts

    found = list_hosts(pattern, among=inventories(app), store=app.store)
    empty = "What there is cannot be read." if found.errors else NO_HOST
    listing(
        "hosts", found.hosts, columns(Clock(app.clock(), app.settings.timezone)), form=form, empty=empty, limit=limit
    )
    for error in found.errors:
        click.echo(error, err=True)
    raise SystemExit(Unknown.exit_code if found.errors else 0)


@command.command("show")
@click.argument("host")
@inventory_option
@format_option
@pass_app
def show(app: App, host: str, inventory: str | None, form: str) -> None:
    """Show one host: last look, outcomes, debts, health, tickets."""
    from runner.operations.describe_hosts import show_host

    found = show_host(host, inventory=inventory, among=inventories(app), store=app.store)
    if form == "json":
        show_json({"host": plain(found)})
    else:
        show_screen(found, Clock(app.clock(), app.settings.timezone))


@command.command("retire")
@click.argument("host")
@click.option("--reason", required=True, help="Why; it becomes part of the record.")
@inventory_option
@pass_app
def retire(app: App, host: str, reason: str, inventory: str | None) -> None:
    """Retire a host that is gone for good: nobody waits for it any more."""
    from runner.operations.retire_host import retire_host

    among, by = inventories(app), app.actor
    gone = retire_host(host, reason=reason, inventory=inventory, by=by, among=among, store=app.store, clock=app.clock)
    say(
        f"{gone.host} is retired from inventory {gone.inventory}; {count(gone.debts, 'debt')} waived. Recorded as {app.actor}."
    )


@command.command("trust")
@click.argument("host")
@click.option("--fingerprint", metavar="SHA256:…", help="Trust it without a question if the host shows this very key.")
@inventory_option
@pass_app
def trust(app: App, host: str, fingerprint: str | None, inventory: str | None) -> None:
    """Trust the key that a host shows now, after a look at the old and the new one.

    Compare it with what the host itself says (on its console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub). The key goes into
    your known_hosts, in the place of the old ones, and your name into the record. Nobody logs in to the host.
    """
    from runner.operations.trust_host import look_at_key, trust_host

    keys, store = host_keys(app), app.store
    shown = look_at_key(host, inventory=inventory, among=inventories(app), store=store, keys=keys)
    show_key(shown)
    if shown.seen.trusted:
        say("It is trusted already; nothing was changed.")
    elif fingerprint or is_confirmed():
        trust_host(shown, fingerprint=fingerprint, by=app.actor, store=store, clock=app.clock, keys=keys)
        say(f"Its key stands in {shown.seen.file} now. Recorded as {app.actor}.")


def host_keys(app: App) -> HostKeys:
    """Host keys as the user's own OpenSSH sees them."""
    from runner.adapters.programs import own_programs_last
    from runner.adapters.ssh.host_keys import SshHostKeys

    return SshHostKeys(project=app.root, environ=own_programs_last(app.environ))


def is_confirmed() -> bool:
    """Ask on a terminal; elsewhere nobody can have compared the keys. Raises UsageError there."""
    if not sys.stdin.isatty():
        raise UsageError("Nothing was changed. Without a terminal, say which key you expect: --fingerprint SHA256:…")
    return click.confirm("Is the new key right? It was compared with what the host itself says")


def inventories(app: App) -> Inventories:
    """The inventories of this maintenance repository, read by its own Ansible."""
    from runner.operations.describe_hosts import Inventories

    return Inventories(app.settings, app.inventories)
