from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from runner.domain.execution.plan import LOOK, PlannedWave, RunPlan, Step, StepKind
from runner.domain.execution.schedule import Split
from runner.domain.record.record import canonical
from runner.domain.time.window import AtEnd
from runner.store.execution.plans import plan_from_json, plan_to_json
from tests.store.making import a_plan

names = st.text(max_size=6)
hosts = st.lists(names, max_size=4).map(tuple)
instants = st.none() | st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
waves = st.builds(
    PlannedWave,
    name=names,
    size=st.none() | st.integers(1, 1000),
    hosts=hosts,
    soak=st.timedeltas(timedelta(0), timedelta(days=300)),
    is_canary=st.booleans(),
    tolerates=st.integers(0, 9),
)
steps = st.lists(st.builds(Step, kind=st.sampled_from(StepKind), name=names), max_size=3).map(tuple)
plans = st.builds(
    RunPlan,
    schedule=names,
    title=names,
    inventory=names,
    playbook=names,
    hosts=hosts,
    waves=st.lists(waves, max_size=3).map(tuple),
    concurrency=st.integers(1, 500),
    budget=st.integers(0, 500),
    groups=st.dictionaries(names, hosts, max_size=3),
    retries=st.integers(0, 5),
    retry_after=st.timedeltas(timedelta(0), timedelta(days=1)),
    rollback=steps,
    before=steps,
    after=steps,
    carried=hosts,
    split=st.sampled_from(Split),
    at_end=st.sampled_from(AtEnd),
    opens=instants,
    last_start=instants,
    ends=instants,
    check_mode=st.booleans(),
    changes_something=st.booleans(),
    impact=names,
)


@given(plan=plans)
def test_a_plan_comes_back_as_it_was(plan: RunPlan) -> None:
    kept = json.loads(canonical(plan_to_json(plan)))

    assert plan_from_json(kept) == plan


def test_every_member_of_a_plan_is_kept() -> None:
    assert set(plan_to_json(a_plan())) == {field.name for field in fields(RunPlan)}


def test_every_member_of_a_wave_and_a_step_is_kept() -> None:
    kept = plan_to_json(a_plan(waves=(PlannedWave("w"),), before=(LOOK,)))

    assert {name.removesuffix("_seconds") for name in kept["waves"][0]} == {field.name for field in fields(PlannedWave)}
    assert set(kept["before"][0]) == {field.name for field in fields(Step)}


def test_a_plan_of_an_older_version_has_defaults_for_what_it_did_not_know() -> None:
    kept = plan_to_json(a_plan())
    optional = ("before", "after", "carried", "split", "at_end", "opens", "last_start", "ends", "check_mode", "impact")
    older = {name: value for name, value in kept.items() if name not in optional}

    assert plan_from_json(older) == a_plan()
