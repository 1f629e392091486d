"""How a run that goes is told on a screen: what it waits for is said once, and on a terminal stays in the last line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest

from runner.cli.telling import Telling
from runner.domain.execution.guards import ALERTS, Hold
from runner.store.execution import holds, runs
from runner.wiring import App
from tests.cli import rows
from tests.cli.conftest import Repository

FIRES = Hold(ALERTS, "alert HighLoad fires for web2")
OVER_SOON = "alert Disk fires for db1"


@pytest.fixture
def app(wellkept: Repository) -> Iterator[App]:
    opened = App(wellkept.root)
    yield opened
    opened.store.close()


@pytest.fixture
def run(app: App) -> runs.Run:
    run_id = rows.a_waiting_run(app.store)
    return app.store.read(lambda c: runs.get(c, run_id))


def keep(app: App, run: runs.Run, hold: Hold) -> None:
    app.store.write(partial(holds.keep, hold=hold, schedule=run.schedule, run_id=run.id, at=app.clock()))


def test_what_a_run_waits_for_is_said_once(app: App, run: runs.Run, capsys: pytest.CaptureFixture[str]) -> None:
    keep(app, run, FIRES)
    telling = Telling(app, run, form="table")

    telling.look()
    telling.look()

    assert capsys.readouterr().out.splitlines() == [f"  waits: {FIRES.reason}"]


def test_something_else_that_it_waits_for_is_said_again_with_its_end(
    app: App, run: runs.Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    telling, now = Telling(app, run, form="table"), app.clock()
    keep(app, run, FIRES)
    telling.look()
    later = now + timedelta(minutes=5)
    monkeypatch.setattr(app, "clock", lambda: later)
    keep(app, run, Hold(ALERTS, OVER_SOON, later + timedelta(minutes=9, seconds=30)))

    telling.look()

    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("  waits until ")
    assert last.endswith(f"(in 9 min): {OVER_SOON}")


def test_with_json_it_goes_to_the_error_stream(app: App, run: runs.Run, capsys: pytest.CaptureFixture[str]) -> None:
    keep(app, run, FIRES)

    Telling(app, run, form="json").look()

    said = capsys.readouterr()
    assert (said.out, said.err.strip()) == ("", f"waits: {FIRES.reason}")


def test_on_a_terminal_the_last_line_stays_and_is_wiped_at_the_end(
    app: App, run: runs.Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    keep(app, run, FIRES)
    telling = Telling(app, run, form="table")

    telling.look()
    shown = capsys.readouterr().err
    telling.end()

    assert shown == f"\r\033[K  waits: {FIRES.reason}"
    assert capsys.readouterr().err == "\r\033[K"
