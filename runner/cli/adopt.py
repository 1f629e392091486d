"""`wellkept adopt`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.app import pass_app
from runner.cli.output import format_option
from runner.errors import UsageError, count
from runner.wiring import App

if TYPE_CHECKING:
    from runner.operations.adoption.adopt_repository import AdoptedLine, Adoption
    from runner.operations.adoption.draft_schedule import Crontab
    from runner.ports import InventoryReader

OF_THE_SYSTEM = ("/etc/cron.d", "/etc")  # files there name a user after the time
PLAYBOOKS_SHOWN = 10


@click.command("adopt")
@click.argument("directory", required=False, type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option(
    "--crontab",
    "crontabs",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A crontab to read, also one with users such as those in /etc/cron.d; may be given several times.  [default: crontab -l]",
)
@click.option("--organisation", default="My organisation", show_default=True, help="The name on reports.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.option("--offline", is_flag=True, help="Do not ask Ansible what the inventories hold.")
@format_option
@pass_app
def command(
    app: App,
    directory: Path | None,
    crontabs: tuple[Path, ...],
    organisation: str,
    dry_run: bool,
    offline: bool,
    form: str,
) -> None:
    r"""Take in a repository that has playbooks already, and its crontab.

    Reads ansible.cfg, inventories, playbooks and the crontab. Writes wellkept.yml and one schedule for each line that can be said exactly, switched off, with
    the line that it came from; touches nothing else and overwrites nothing. Cron lines and scripts are read, never run. Lines that need a person are
    listed with the reason.

    \b
    wellkept adopt --dry-run                         this folder and your own crontab: show what would be written
    wellkept adopt /srv/ansible --crontab /etc/cron.d/ansible
    wellkept adopt --offline --format json           without starting ansible-inventory; for programs
    """
    adoption = adopt(app, directory or app.chosen or Path(), crontabs, organisation, dry_run=dry_run, offline=offline)
    show(adoption, form=form, dry_run=dry_run)
    if adoption.there_already:
        refuse(adoption)


def adopt(
    app: App, root: Path, crontabs: tuple[Path, ...], organisation: str, *, dry_run: bool, offline: bool
) -> Adoption:
    """Adopt with this user's name, and this user's crontab unless others are named."""
    from runner.operations.adoption.adopt_repository import adopt_repository
    from runner.operations.adoption.texts import Owner

    return adopt_repository(
        root.resolve(),
        [crontab_in(path) for path in crontabs] or [own(app)],
        owner=Owner(str(app.actor), organisation),
        environ=app.environ,
        dry_run=dry_run,
        inventories=None if offline else without_secrets(app),
        sources=app.sources,
    )


def without_secrets(app: App) -> InventoryReader:
    """Reads inventories without any vault password: adopting starts no program that prints one."""
    from runner.adapters.inventory import AnsibleInventory
    from runner.adapters.programs import own_programs_last

    return AnsibleInventory(environ=own_programs_last(app.environ))


def own(app: App) -> Crontab:
    """The crontab of this user."""
    from runner.adapters.crontab import own_crontab
    from runner.operations.adoption.draft_schedule import Crontab

    return Crontab("crontab", own_crontab(app.environ), with_users=False, home=Path.home())


def crontab_in(path: Path) -> Crontab:
    """A crontab that was named; whether it has users is known for the system's own, and looked for in others."""
    from runner.operations.adoption.draft_schedule import Crontab

    is_of_system = str(path.resolve().parent) in OF_THE_SYSTEM
    return Crontab(str(path), path.read_text(encoding="utf-8", errors="replace"), with_users=is_of_system or None)


def show(adoption: Adoption, *, form: str, dry_run: bool) -> None:
    """Every line and what became of it, then what to do next."""
    from runner.cli.answers import Cell, plain, table
    from runner.cli.output import show_json

    if form == "json":
        show_json({"adoption": plain(adoption), "summary": adoption.summary})
        return
    if dry_run:
        show_files(adoption)
    if adoption.lines:
        cells: list[Cell[AdoptedLine]] = [
            Cell("LINE", lambda line: line.place),
            Cell("SCHEDULE", lambda line: line.schedule),
            Cell("WHAT TO DO", what_to_do),
        ]
        table(adoption.lines, cells, empty="")
    show_rest(adoption)


def what_to_do(line: AdoptedLine) -> str:
    """What a person has to do about one line."""
    if line.outcome == "needs_person":
        return f"needs a person: {line.reason}."
    if line.outcome == "not_ansible":
        return "not about Ansible; it stays where it is"
    notes = f", and at {count(len(line.look_at), 'note')} in {line.file}" if line.look_at else ""
    return f"look at the length of its window{notes}"


def show_files(adoption: Adoption) -> None:
    """The texts of all files, as they would be written."""
    from runner.cli.answers import say

    for file in adoption.files:
        say(f"--- {file.path}\n{file.text}")


def show_rest(adoption: Adoption) -> None:
    """The summary, playbooks that no line runs, and the next steps."""
    from runner.cli.answers import say
    from runner.operations.adoption.adopt_repository import next_steps

    say(adoption.summary)
    for note in adoption.notes:
        say(note)
    if adoption.without_schedule:
        shown = ", ".join(adoption.without_schedule[:PLAYBOOKS_SHOWN])
        more = len(adoption.without_schedule) - PLAYBOOKS_SHOWN
        say(f"Playbooks without a schedule: {shown}{f' and {more} more' if more > 0 else ''}.")
    if adoption.written:
        say(f"Written: {', '.join(file.path for file in adoption.files)}.")
        say("\n".join(["Next:", *(f"  {step}" for step in next_steps(adoption))]))


def refuse(adoption: Adoption) -> None:
    """Nothing is overwritten: name what is there, and leave with the code of a usage error."""
    raise UsageError(
        f"There already: {', '.join(adoption.there_already)}. Nothing was written. Move it away, or write the rest by hand from --dry-run."
    )
