"""The reference of all commands, written from the commands themselves: `python -m runner.cli.reference > docs/reference/commands.md`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from runner.cli.answers_reference import answers
from runner.cli.commands import COMMANDS, wellkept

HEAD = """\
# Commands

Written from the commands themselves; to write it anew: `python -m runner.cli.reference > docs/reference/commands.md`

Every command finds the maintenance repository by `-C DIR`, by `WELLKEPT_ROOT`, or by the nearest `wellkept.yml` above the current folder.
Exit codes, the same everywhere: 0 done or healthy, 1 a bad result, 2 usage or files, 3 held, 4 unknown, 70 our own fault (a report file is written and
named), 130 interrupted. `health --format nagios` has the codes of monitoring plugins. Where there is `--format json`, the answer is one document with a
`version`; [its parts](#json) are described at the end.
"""


def command_reference() -> str:
    """All commands as one page of Markdown."""
    with click.Context(wellkept, info_name="wellkept") as above:
        parts = [
            part for name in COMMANDS for part in told(wellkept.get_command(above, name), f"wellkept {name}", above)
        ]
    return "\n".join([HEAD, *parts, answers()])


def told(command: click.Command | None, name: str, above: click.Context, level: int = 2) -> Iterator[str]:
    """One command, and its sub-commands below it."""
    if command is None:
        return
    with click.Context(command, info_name=name, parent=above) as context:
        yield f"{'#' * level} `{name}`\n"
        usage = " ".join([name, *command.collect_usage_pieces(context)])
        yield f"```\n{usage}\n```\n"
        yield from paragraphs(command.help or "")
        yield from options(command, context)
        for each in command.commands.values() if isinstance(command, click.Group) else ():
            yield from told(each, f"{name} {each.name}", context, level + 1)


def paragraphs(text: str) -> Iterator[str]:
    """The help; what follows a backspace is kept as it is, as a block of code."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b\n"):
            yield f"```\n{paragraph.removeprefix(chr(8)).strip()}\n```\n"
        else:
            yield " ".join(line.strip() for line in paragraph.splitlines()) + "\n"


def options(command: click.Command, context: click.Context) -> Iterator[str]:
    """The options but `--help`, one line each."""
    records = (each.get_help_record(context) for each in command.params if isinstance(each, click.Option))
    lines = [f"- `{left}` {right}".rstrip() for left, right in filter(None, records)]
    if lines:
        yield "\n".join(lines) + "\n"


if __name__ == "__main__":
    click.echo(command_reference(), nl=False)
