"""`run`: what refuses it, who executes it, what Ctrl-C asks for, and the exit code of each end."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from runner.cli.watching import Execution, Interrupts, exit_code_of, show_ended
from runner.domain.execution.run import Trigger, Verdict
from runner.errors import BadResult
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.store.execution import daemons, runs
from runner.wiring import App
from tests.cli.conftest import SCHEDULE, WINDOWS, Repository

ALWAYS = SCHEDULE.replace("window: saturday-night", "window: always")


@pytest.fixture
def always(wellkept: Repository) -> Repository:
    """A repository whose schedule no window binds."""
    wellkept.write("schedules/patch.yml", ALWAYS)
    return wellkept


@pytest.fixture
def app(always: Repository) -> Iterator[App]:
    opened = App(always.root)
    yield opened
    opened.store.close()


def a_run(app: App) -> runs.Run:
    run_id = start_by_hand("patch", Wish(), site=app.site)
    return app.store.read(lambda c: runs.get(c, run_id))


def closed(now: datetime) -> str:
    """A window that opens on another day than today."""
    day = f"{now + timedelta(days=3):%A}".lower()
    return WINDOWS.replace("day: saturday", f"day: {day}")


def test_a_closed_window_refuses_with_reason_next_opening_and_the_way_out(wellkept: Repository) -> None:
    wellkept.write("schedules/windows.yml", closed(datetime.now(UTC)))

    said = wellkept("run", "patch")

    assert (said.code, said.out) == (3, "")
    assert said.err.startswith(
        "'patch' is held; nothing was changed.\n  maintenance window 'saturday-night' is closed (until "
    )
    assert "Next opening: " in said.err
    assert "To do it all the same, with your name in the report: --override 'why' --until 2h" in said.err


def test_a_changed_plan_is_not_run(always: Repository) -> None:
    said = always("run", "patch", "--digest", "0123456789ab")

    assert said.code == 3
    assert "has changed: its digest is" in said.err


@pytest.mark.parametrize("digest", ["a", "0123456789a", "0123456789xy", "", "0" * 65])
def test_what_is_no_digest_is_refused_with_where_to_find_one(always: Repository, digest: str) -> None:
    said = always("run", "patch", "--digest", digest)

    assert (said.code, said.out) == (2, "")
    assert "Copy it from the last line of `wellkept plan patch`." in said.err


def test_an_override_without_an_end_is_refused(wellkept: Repository) -> None:
    wellkept.write("schedules/windows.yml", closed(datetime.now(UTC)))

    said = wellkept("run", "patch", "--override", "openssl is exploited")

    assert said.code == 2
    assert "An override needs a reason and an expiry" in said.err


def test_a_pattern_that_names_nobody_refuses(always: Repository) -> None:
    said = always("run", "patch", "--limit", "nobody-*")

    assert said.code == 3
    assert "no host of inventory 'production' matches" in said.err


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (Verdict.SUCCEEDED, 0),
        (Verdict.DEGRADED, 1),
        (Verdict.FAILED, 1),
        (Verdict.HALTED, 1),
        (Verdict.CANCELLED, 1),
        (Verdict.MISCONFIGURED, 1),
        (Verdict.EXPIRED, 4),
    ],
)
def test_each_verdict_has_its_exit_code(app: App, verdict: Verdict, code: int) -> None:
    assert exit_code_of(replace(a_run(app), verdict=verdict)) == code


def test_a_run_that_went_well_with_a_gap_in_its_record_is_not_green(app: App) -> None:
    assert exit_code_of(replace(a_run(app), verdict=Verdict.SUCCEEDED, record_incomplete=True)) == 1


@pytest.fixture
def own_signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, each in before.items():
        signal.signal(number, each)


@pytest.mark.usefixtures("own_signals")
def test_the_first_ctrl_c_starts_no_new_batch_and_the_second_ends_it(app: App) -> None:
    run = a_run(app)
    interrupts = Interrupts(app, run)

    interrupts.look()
    before = asked(app, run)
    signal.raise_signal(signal.SIGINT)
    interrupts.look()
    interrupts.look()
    once = asked(app, run)
    signal.raise_signal(signal.SIGINT)
    interrupts.look()

    assert (before, once, asked(app, run)) == (None, "finish", "cancel")


def asked(app: App, run: runs.Run) -> str | None:
    return app.store.read(lambda c: runs.get(c, run.id)).stop_request


def test_a_live_daemon_executes_what_was_asked_for_and_nothing_is_started(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run(app)
    monkeypatch.setattr("runner.cli.watching.start_detached", lambda *_, **__: pytest.fail("it started a process"))
    app.store.write(lambda c: daemons.beat(c, app.site.owner, started_at=datetime.now(UTC)))

    execution = Execution(app, run)

    assert execution.see_to_it() == "the daemon executes it"
    assert execution.see_to_it() == ""


def test_without_a_daemon_a_process_is_started_and_another_one_when_it_is_gone(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def start(arguments: list[str], **_: object) -> int:
        started.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))
        return started[-1].pid

    monkeypatch.setattr("runner.cli.watching.start_detached", start)
    execution = Execution(app, a_run(app))

    first, second = execution.see_to_it(), execution.see_to_it()
    end(started[0])
    third = execution.see_to_it()
    end(started[1])

    assert first == f"process {started[0].pid} executes it"
    assert second == ""
    assert third == f"process {started[1].pid} executes it"


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def test_when_every_process_ends_at_once_it_gives_up_and_says_where_they_told_why(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    monkeypatch.setattr("runner.cli.watching.start_detached", lambda *_, **__: gone.pid)
    execution = Execution(app, a_run(app))

    with pytest.raises(BadResult, match=r"each of \d processes ended\. They told why in .*executor\.log"):
        see_to_it_often(execution)


def see_to_it_often(execution: Execution) -> None:
    for _ in range(20):
        execution.see_to_it()


def test_the_end_of_a_run_is_told_host_by_host(app: App, always: Repository) -> None:
    run = a_run(app)
    app.store.write(
        lambda c: runs.settle(
            c, run.id, verdict=Verdict.CANCELLED, reason="a person cancelled it", at=datetime.now(UTC)
        )
    )
    always.capture.readouterr()

    show_ended(app, app.store.read(lambda c: runs.get(c, run.id)), form="table")

    assert "Run 1 cancelled: 0 of 0 hosts done as planned (a person cancelled it)." in always.capture.readouterr().out


def test_a_run_by_hand_bears_the_name_of_who_asked(app: App) -> None:
    run = a_run(app)

    assert (run.trigger, run.requested_by) == (Trigger.HAND, app.actor)
