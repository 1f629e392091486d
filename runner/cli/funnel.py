"""The one funnel for errors: every way out of the command line has an exit code and a sentence, never a traceback."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from runner import __version__
from runner.errors import InternalError, WellkeptError

INTERRUPTED = 130  # what shells expect after Ctrl-C


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit code is the answer."""
    from runner.cli.commands import ReaderGone, wellkept

    try:
        code = wellkept.main(list(arguments), prog_name="wellkept", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except SystemExit as leaving:
        return code_of(leaving)
    except (click.Abort, KeyboardInterrupt):
        say("Interrupted.")
        return INTERRUPTED
    except ReaderGone:
        return quiet_end()
    except WellkeptError as error:
        say(str(error))
        return error.exit_code
    except Exception as error:  # noqa: BLE001  (this is the door: nothing passes it unexplained)
        say(
            f"Wellkept has a defect: {type(error).__name__}. What happened was written to {report_of(error, arguments)}; please send that file."
        )
        return InternalError.exit_code


def code_of(leaving: SystemExit) -> int:
    """The exit code that a command left with."""
    return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)


def say(text: str) -> None:
    """One message to the error stream."""
    click.echo(text, err=True)


def quiet_end() -> int:
    """The reader went away (`| head`): nothing is wrong, and nothing more can be said."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def report_of(error: Exception, arguments: Sequence[str]) -> Path:
    """Write a report of our own fault, readable by its owner only; arguments are told by name, not by value."""
    handle, name = tempfile.mkstemp(prefix="wellkept-fault-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as report:
        report.write(f"wellkept {__version__}, Python {sys.version}\n{datetime.now(UTC).isoformat()}\n")
        report.write(f"command: {' '.join(word for word in arguments[:1] if not word.startswith('-'))}\n\n")
        report.writelines(traceback.format_exception(error))
    return Path(name)
