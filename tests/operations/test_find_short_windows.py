"""Windows that are shorter than past runs, in the calendar and among the warnings about files."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.operations.time.find_short_windows import PastRuns, past_runs, read_past_runs, with_short_openings
from runner.operations.time.list_openings import list_openings
from runner.operations.validate_files import validate_files
from runner.store.execution import runs
from runner.store.execution.lengths import Length
from tests.operations.a_site import SATURDAY_NIGHT, SCHEDULE, WINDOWS, Bench, all_well
from tests.operations.conftest import Lay

HOUR, MINUTE, WEEK = timedelta(hours=1), timedelta(minutes=1), timedelta(days=7)
FREEZE = 'freezes: [{name: fair, from: "2026-03-28T23:00Z", to: "2026-03-30T00:00Z"}]\n'
spans = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=2))


def a_past(*, took: timedelta, last_batch_after: timedelta = timedelta(0), number: int = 12) -> PastRuns:
    return PastRuns(number, took, last_batch_after)


def notes(bench: Bench, past: PastRuns) -> list[tuple[str, ...]]:
    found = list_openings(bench.site.current(), from_=SATURDAY_NIGHT + WEEK, to=SATURDAY_NIGHT + 3 * WEEK - HOUR)
    return [entry.opening.notes for entry in with_short_openings(found, {"patch": past})]


def warnings(bench: Bench, past: PastRuns) -> list[str]:
    found = validate_files(bench.site.root, environ=os.environ, past=lambda: {"patch": past})
    return [str(problem) for problem in found]


def run_weekly(bench: Bench, weeks: range) -> None:
    """Let the schedule run in the windows of these weeks; each call of its playbook takes a minute."""
    bench.ansible.while_running = lambda piece: bench.time.pass_by(MINUTE)
    for week in weeks:
        bench.time.now = SATURDAY_NIGHT + week * WEEK
        bench.tick()
        for run in bench.site.store.read(runs.live):
            bench.play_out(run.id)


def test_an_opening_that_is_long_enough_has_no_note(bench: Bench) -> None:
    assert notes(bench, a_past(took=6 * HOUR, last_batch_after=5 * HOUR + 15 * MINUTE)) == [(), ()]


def test_an_opening_that_is_shorter_than_past_runs_says_so_with_both_lengths(bench: Bench) -> None:
    first, _ = notes(bench, a_past(took=6 * HOUR + 30 * MINUTE))

    assert first == ("too short: it has 6h, and 9 in 10 of the last 12 runs took up to 6h30m",)


def test_a_cutoff_counts_against_the_beginning_of_the_last_batch(bench: Bench) -> None:
    first, _ = notes(bench, a_past(took=6 * HOUR, last_batch_after=5 * HOUR + 30 * MINUTE, number=4))

    assert first == ("too short: its last start comes after 5h15m, and the last 4 runs began their last batch after up to 5h30m",)  # fmt: skip


def test_what_a_freeze_leaves_is_what_counts(lay: Lay) -> None:
    cut, whole = notes(lay(windows=WINDOWS + FREEZE), a_past(took=3 * HOUR))

    assert cut == ("too short: it has 1h, and 9 in 10 of the last 12 runs took up to 3h",)
    assert whole == ()


def test_nothing_is_said_of_what_does_not_happen(lay: Lay) -> None:
    assert notes(lay(schedule=SCHEDULE + "enabled: false\n"), a_past(took=99 * HOUR)) == [(), ()]


def test_validate_warns_at_the_schedule_and_says_what_to_do(bench: Bench) -> None:
    assert warnings(bench, a_past(took=7 * HOUR)) == [
        (
            "schedules/patch.yml:1:1: warning: window: it is too short for patch: it has 6h, and 9 in 10 of the last 12 runs took up to 7h. "
            "Make it longer, or do fewer hosts in it."
        )
    ]


@pytest.mark.parametrize("change", ["enabled: false\n", ""])
def test_validate_says_nothing_of_windows_that_are_long_enough_or_not_used(lay: Lay, change: str) -> None:
    bench = lay(schedule=SCHEDULE + change)

    assert warnings(bench, a_past(took=(7 if change else 5) * HOUR)) == []


def test_broken_files_are_told_before_anybody_asks_the_record(bench: Bench) -> None:
    (bench.site.root / "schedules" / "patch.yml").write_text("schedule: [\n")

    def nobody_asks() -> dict[str, PastRuns]:
        raise AssertionError("the record was asked")

    assert validate_files(bench.site.root, environ=os.environ, past=nobody_asks)


def test_past_runs_are_taken_from_the_record_once_there_are_enough(bench: Bench) -> None:
    run_weekly(bench, range(3))  # the first window has no slot: it had begun before anybody wrote it
    too_few = read_past_runs(bench.site.store, now=bench.time.now)
    run_weekly(bench, range(3, 4))

    past = read_past_runs(bench.site.store, now=bench.time.now)["patch"]

    assert too_few == {}
    assert past.number == 3
    assert past.took == 6 * MINUTE  # a look, the playbook and a look again, of the canary and of the rest
    assert timedelta(0) < past.last_batch_after < HOUR


def test_runs_that_were_stopped_and_those_of_long_ago_do_not_count(bench: Bench) -> None:
    bench.ansible.script = lambda order, host: "failed" if order.playbook.name == "patch.yml" else "ok"
    run_weekly(bench, range(4))
    stopped = read_past_runs(bench.site.store, now=bench.time.now)
    bench.ansible.script = all_well
    run_weekly(bench, range(4, 7))

    assert stopped == {}
    assert read_past_runs(bench.site.store, now=bench.time.now)["patch"].number == 3
    assert read_past_runs(bench.site.store, now=bench.time.now + timedelta(days=500)) == {}


@given(st.lists(st.tuples(spans, spans), min_size=3, max_size=30), spans, spans)
def test_at_most_a_tenth_of_the_past_runs_would_not_have_fitted_where_nothing_is_said(
    past: list[tuple[timedelta, timedelta]], usable: timedelta, before: timedelta
) -> None:
    found = [Length("patch", took, last) for took, last in past]

    says = past_runs(found).too_long_for(usable, before)

    longer = max(sum(took > usable for took, _ in past), sum(last > before for _, last in past))
    assert bool(says) == (longer > len(past) / 10)
