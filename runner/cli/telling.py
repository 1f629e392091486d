"""Tells how a run goes, a line for each step and for each new thing that it waits for; on a terminal the last line shows what it waits for now."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import click

from runner.cli.answers import printable
from runner.cli.times import Clock
from runner.operations.execution.follow_run import news, waiting
from runner.wiring import App

if TYPE_CHECKING:
    from runner.domain.execution.run import PieceState
    from runner.domain.execution.waits_for import WaitsFor
    from runner.store.execution.runs import Run

WIPE = "\r\033[K"


class Telling:
    """Everything goes to the error stream when the answer is JSON; what is only shown for now always does."""

    def __init__(self, app: App, run: Run, *, form: str) -> None:
        """Nothing is told before `look`."""
        self._app, self._run, self._err = app, run, form == "json"
        self._told: set[tuple[str, PieceState]] = set()
        self._waited: WaitsFor | None = None
        self._shown = ""

    def look(self) -> None:
        """Tell what has happened since the last look."""
        for progress in news(self._run, self._told, site=self._app.site):
            self.say(progress.text)
        waits = self._app.store.read(lambda c: waiting(c, self._run, now=self._app.clock()))
        if waits and waits != self._waited:
            self._waited = waits
            self.say(self._in_words(waits))
        self._show(self._in_words(waits) if waits else "")

    def end(self) -> None:
        """Tell what is left to tell; the run has ended, and waits for nothing."""
        for progress in news(self._run, self._told, site=self._app.site):
            self.say(progress.text)
        self._show("")

    def say(self, text: str) -> None:
        """One line that stays."""
        self._show("")
        click.echo(printable(f"  {text}"), err=self._err)

    def _in_words(self, waits: WaitsFor) -> str:
        clock = Clock(self._app.clock(), self._app.settings.timezone)
        return f"waits until {clock.both(waits.until)}: {waits.reason}" if waits.until else f"waits: {waits.reason}"

    def _show(self, text: str) -> None:
        if text == self._shown or not sys.stderr.isatty():
            return
        self._shown = text
        room = shutil.get_terminal_size().columns - 1
        click.echo(WIPE + printable(f"  {text}")[:room] if text else WIPE, nl=False, err=True)
