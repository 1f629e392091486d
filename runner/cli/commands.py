"""The table of commands; a command's module is imported only when it is called, so that `--help` stays quick."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click

from runner import __version__

# name -> (module in runner.cli, first line of its help); a test holds the lines against the docstrings
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("init", "Lay out a new maintenance repository, ready to run."),
    "adopt": ("adopt", "Take in a repository that has playbooks already, and its crontab."),
    "validate": ("validate", "Check every file and print all problems at once."),
    "calendar": ("calendar", "Show when each schedule may run."),
    "plan": ("plan", "Show what a schedule would do, and whether anything holds it."),
    "run": ("run", "Run a schedule now, with every guard."),
    "once": ("once", "Plan a playbook for one time, with every guard and without a file."),
    "health": ("health", "Ask hosts and services how they are, now."),
    "serve": ("serve", "Run schedules by themselves when their windows open."),
    "status": ("status", "Show what is due, running, held, unhealthy and open."),
    "pause": ("pause", "Touch nothing new until somebody resumes."),
    "resume": ("resume", "End a pause; maintenance goes on."),
    "drain": ("drain", "Let all work come to rest before a machine goes down."),
    "why": ("why", "Tell why a host was touched, or was not."),
    "runs": ("runs", "List runs, show or watch one, stop it, approve or waive one ahead."),
    "hosts": ("hosts", "List hosts, show one, trust its key, or retire it."),
    "tickets": ("tickets", "List tickets, show one, or work on it."),
    "report": ("report", "Write a report of a period."),
    "record": ("record", "Show, export and verify the record."),
    "doctor": ("doctor", "Check this machine and this maintenance repository."),
    "db": ("db", "Create, upgrade or back up the database."),
    "schema": ("schema", "Print the JSON Schema of a kind of file."),
}
HIDDEN: dict[str, tuple[str, str]] = {
    "execute-run": ("execute", "Execute one run in this process."),
}


class ReaderGone(Exception):
    """Whoever read our output went away (`| head`); click itself would leave with 1, and nothing is wrong."""


class LazyGroup(click.Group):
    """A group that knows its commands by the table above."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of one command."""
        found = COMMANDS.get(cmd_name) or HIDDEN.get(cmd_name)
        if found is None:
            return None
        command = import_module(f"runner.cli.{found[0]}").command
        return with_examples(command) if isinstance(command, click.Command) else None

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as gone:
            raise ReaderGone from gone

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name the nearest one."""
        import difflib

        name = args[0]
        if name not in COMMANDS and name not in HIDDEN:
            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else " `wellkept --help` lists them."
            raise click.UsageError(f"There is no command {name!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)


def with_examples(command: click.Command) -> click.Command:
    r"""Keep the lines after a `\b` as they are: click wants the character, and a raw docstring holds a backslash and a letter."""
    command.help = command.help and command.help.replace("\\b\n", "\b\n")
    for each in command.commands.values() if isinstance(command, click.Group) else ():
        with_examples(each)
    return command


@click.command(
    cls=LazyGroup,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option(
    "-C",
    "root",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The maintenance repository (otherwise WELLKEPT_ROOT, or the nearest wellkept.yml above).",
)
@click.version_option(__version__, prog_name="wellkept", message="%(prog)s %(version)s")
@click.pass_context
def wellkept(ctx: click.Context, root: Path | None) -> None:
    """Planned maintenance as code: windows, waves, one failure budget, tickets, and a record that can be proved.

    Exit codes: 0 done or healthy, 1 a bad result, 2 usage or files, 3 held, 4 unknown, 70 our own fault.
    """
    ctx.obj = root
