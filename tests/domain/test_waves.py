"""Sizes of waves, and who is drawn next."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.execution.next_step import StartPiece
from runner.domain.execution.plan import PlannedWave
from runner.domain.execution.progress import batches_of
from runner.domain.execution.run import Stage
from runner.domain.execution.schedule import Amount, Split, Wave
from runner.domain.execution.waves import Draw, budget_of, draw, fits, ordered, planned_waves, wanted_in
from tests.domain.runs import ALL, CANARY_THEN_REST, START, a_plan, a_record, hosts, piece_from


def waves_of(
    number: int, *waves: Wave, itself: str | None = None, split: Split = Split.HOSTS
) -> tuple[PlannedWave, ...]:
    return planned_waves(waves, hosts=hosts(number), named=[() for _ in waves], itself=itself, split=split)


def test_from_five_hosts_up_one_of_them_is_the_canary() -> None:
    assert waves_of(5) == (PlannedWave("canary", size=1, is_canary=True), PlannedWave("rest"))


def test_below_five_hosts_all_go_at_once() -> None:
    assert waves_of(4) == (PlannedWave("all"),)


def test_the_host_that_runs_wellkept_is_the_last_wave_of_its_own() -> None:
    waves = waves_of(6, itself="web-03")

    assert waves[-1] == PlannedWave("itself", hosts=("web-03",))
    record = a_record(a_plan(6, waves=waves))
    assert "web-03" not in wanted_in(waves[0], record) + wanted_in(waves[1], record)


def test_it_alone_needs_no_wave_of_its_own() -> None:
    assert waves_of(1, itself="web-01") == (PlannedWave("all"),)


def test_percentages_are_of_all_planned_hosts_rounded_up() -> None:
    waves = waves_of(7, Wave("first", Amount(10, percent=True)), Wave("half", Amount(50, percent=True)))

    assert [(wave.name, wave.size) for wave in waves] == [("first", 1), ("half", 4), ("rest", None)]
    assert [wave.is_canary for wave in waves] == [True, False, False]


def test_a_last_wave_without_size_is_the_rest() -> None:
    waves = waves_of(7, Wave("first", Amount(2)), Wave("others"))

    assert [wave.name for wave in waves] == ["first", "others"]


def test_a_single_wave_is_no_canary() -> None:
    assert not waves_of(7, Wave("all"))[0].is_canary


def test_one_call_for_all_hosts_has_one_wave() -> None:
    assert waves_of(7, split=Split.WHOLE) == (PlannedWave("all"),)


def test_a_wave_whose_own_hosts_are_not_in_the_run_draws_nobody_elses() -> None:
    waves = (Wave("databases", hosts="db"), Wave("half", Amount(50, percent=True)))

    planned = planned_waves(waves, hosts=hosts(4), named=[(), ()], itself=None, split=Split.HOSTS)

    assert [(wave.name, wave.size, wave.is_canary) for wave in planned] == [("half", 2, False), ("rest", None, False)]


def test_without_any_wave_left_all_hosts_are_the_rest() -> None:
    planned = planned_waves([Wave("db", hosts="db")], hosts=hosts(2), named=[()], itself=None, split=Split.HOSTS)

    assert planned == (PlannedWave("rest"),)


@pytest.mark.parametrize(
    ("amount", "total", "budget"),
    [(Amount(0), 5, 0), (Amount(10, percent=True), 19, 1), (Amount(10, percent=True), 9, 0), (Amount(9), 5, 5)],
)
def test_the_budget_is_rounded_down_and_never_more_than_there_are(amount: Amount, total: int, budget: int) -> None:
    assert budget_of(amount, total) == budget


@given(st.integers(1, 60), st.lists(st.integers(1, 100), min_size=1, max_size=5))
def test_waves_cover_every_host_exactly_once(number: int, percents: list[int]) -> None:
    waves = [Wave(f"w{i}", Amount(percent, percent=True)) for i, percent in enumerate(percents)]
    planned = planned_waves(waves, hosts=hosts(number), named=[()] * len(waves), itself=None, split=Split.HOSTS)
    record = a_record(a_plan(number, waves=planned, concurrency=1000))
    drawn: list[str] = []
    for position in range(len(planned)):
        batch = draw(position, record, batches_of(record), now=START).hosts
        drawn += batch
        if batch:
            step = StartPiece(position, position + 1, Stage.APPLY, 0, 1, batch)
            record = a_record(record.plan, pieces=(*record.pieces, piece_from(step, {})))

    assert sorted(drawn) == sorted(hosts(number))


def test_a_host_fits_when_its_usual_duration_ends_before_the_window() -> None:
    plan = a_plan(2, ends=START + timedelta(minutes=10))
    record = a_record(plan, estimates={"web-01": timedelta(minutes=10)}, reserve=timedelta(minutes=11))

    assert fits("web-01", record, now=START)
    assert not fits("web-02", record, now=START)
    assert fits("web-02", a_record(a_plan(2), reserve=timedelta(days=9)), now=START)


def test_nobody_is_drawn_when_all_are_locked_and_the_reason_is_told() -> None:
    record = a_record(a_plan(2, waves=ALL), locked=frozenset(hosts(2)))

    assert draw(0, record, (), now=START) == Draw(locked=True)


def test_nobody_is_drawn_when_none_fits_and_the_reason_is_told() -> None:
    record = a_record(a_plan(2, waves=ALL, ends=START), reserve=timedelta(minutes=5))

    assert draw(0, record, (), now=START) == Draw(no_room=True)


def test_paused_hosts_are_passed_over() -> None:
    record = a_record(a_plan(3, waves=ALL), paused=frozenset({"web-02"}))

    assert draw(0, record, (), now=START).hosts == ("web-01", "web-03")


def test_carried_hosts_come_first_but_last_among_canaries() -> None:
    record = a_record(a_plan(4, waves=CANARY_THEN_REST, carried=("web-01",)))
    canary, rest = record.plan.waves

    assert ordered(record.plan.hosts, canary, record)[-1] == "web-01"
    assert ordered(reversed(record.plan.hosts), rest, record)[0] == "web-01"


@pytest.mark.parametrize(("places", "drawn"), [(None, 4), (4, 4), (3, 3), (1, 1), (0, 0), (-1, 0)])
def test_no_more_hosts_are_drawn_than_other_runs_leave_places(places: int | None, drawn: int) -> None:
    record = a_record(a_plan(4, waves=ALL), places=places)

    found = draw(0, record, (), now=START)

    assert (len(found.hosts), found.no_place) == (drawn, drawn == 0)


@pytest.mark.parametrize(("places", "drawn"), [(4, 4), (3, 0)])
def test_one_call_for_all_hosts_is_drawn_with_places_for_all_of_them_or_not_at_all(places: int, drawn: int) -> None:
    record = a_record(a_plan(4, waves=ALL, split=Split.WHOLE), places=places)

    assert len(draw(0, record, (), now=START).hosts) == drawn


def test_a_host_that_is_locked_or_does_not_fit_is_no_matter_of_places() -> None:
    locked = a_record(a_plan(2, waves=ALL), places=0, locked=frozenset(hosts(2)))
    late = a_record(a_plan(2, waves=ALL, ends=START), places=0, reserve=timedelta(minutes=5))

    assert draw(0, locked, (), now=START) == Draw(locked=True)
    assert draw(0, late, (), now=START) == Draw(no_room=True)
