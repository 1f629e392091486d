"""`wellkept doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from runner.cli.answers import plain, say
from runner.cli.app import pass_app
from runner.cli.output import format_option, show_json
from runner.errors import BadResult
from runner.wiring import App

if TYPE_CHECKING:
    from runner.operations.examine_host import Prove
    from runner.operations.examined import Examined

MARKS = {"ok": "ok", "warning": "WARNING", "problem": "PROBLEM"}


@click.command("doctor")
@click.argument("host", required=False)
@click.option("--inventory", metavar="NAME", help="The inventory, when several have such a host.")
@click.option("--systemd", is_flag=True, help="Only print a unit by which systemd runs `wellkept serve`.")
@format_option
@pass_app
def command(app: App, host: str | None, inventory: str | None, systemd: bool, form: str) -> None:
    r"""Check this machine and this maintenance repository.

    Exit codes: 0 when nothing is in the way (warnings may be), 1 when there is a problem.

    \b
    wellkept doctor             programs, files, inventories, database, key, clock, daemon
    wellkept doctor web-03      how that host is reached, whether the login works, what it says
    wellkept doctor --systemd   the service's unit, for /etc/systemd/system/wellkept.service
    """
    if systemd:
        click.echo(unit_of(app), nl=False)
        return
    found = []
    for each in examined(app, host, inventory):
        found.append(each)
        if form != "json":
            show(each)
    problems = [each for each in found if each.standing == "problem"]
    if form == "json":
        show_json({"examined": plain(found)})
    else:
        say(f"\n{len(problems)} of {len(found)} are in the way." if problems else "\nNothing is in the way.")
    raise SystemExit(BadResult.exit_code if problems else 0)


def unit_of(app: App) -> str:
    """The unit for this repository, run by the user who asks; root does not run it, the user `wellkept` does."""
    import getpass
    import os
    import sys
    from pathlib import Path

    from runner.operations.systemd_unit import Place, systemd_unit

    user = "wellkept" if os.geteuid() == 0 else getpass.getuser()
    program = Path(sys.executable).with_name("wellkept")
    found = Place(user=user, program=program, root=app.root, path=f"{program.parent}:/usr/local/bin:/usr/bin:/bin")
    return systemd_unit(found)


def examined(app: App, host: str | None, inventory: str | None) -> Iterator[Examined]:
    """Everything, or one host."""
    from runner.operations.describe_hosts import Inventories
    from runner.operations.examine import examine
    from runner.operations.examine_host import examine_host
    from runner.operations.examined import Patient

    if host:
        among = Inventories(app.settings, app.inventories)
        return examine_host(
            host, inventory=inventory, among=among, machine=app.machine, store=app.store, prove=prove(app)
        )
    return examine(
        Patient(
            root=app.root,
            settings=lambda: app.settings,
            definitions=lambda: app.definitions,
            store=lambda: app.store,
            signer=lambda: app.signer,
            inventories=lambda: app.inventories,
            machine=app.machine,
            galaxy=app.galaxy,
            clock=app.clock,
        )
    )


def prove(app: App) -> Prove:
    """What only a try can prove; it needs the whole repository, which is opened when it comes to that."""
    from runner.operations.prove_pipelining import prove_pipelining

    return lambda *asked: prove_pipelining(*asked, site=app.site)


def show(each: Examined) -> None:
    """One thing in a line, and its way out below it."""
    say(f"{MARKS[each.standing]:<9}{each.what:<20} {each.found}")
    if each.way_out:
        say(f"{'':<30}{each.way_out}")
