"""Hosts of one group are never changed at the same time, in one run and across runs."""

from __future__ import annotations

import pytest

from runner.domain.execution.next_step import StartPiece, Wait
from runner.domain.execution.run import Verdict
from runner.errors import Held
from runner.operations.execution.advance_run import advance_run
from runner.operations.execution.run_piece import run_piece
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.store.execution import locks, pieces, runs
from tests.operations.a_site import SCHEDULE, Bench
from tests.operations.conftest import Lay

APART = SCHEDULE + "waves: [{name: all}]\napart: [rack]\n"
RACKS = {"web-01": {"rack": "a"}, "web-02": {"rack": "a"}, "web-03": {"rack": "b"}, "db-01": {"rack": "a"}}
OF_THE_DATABASES = APART.replace("schedule: patch", "schedule: databases").replace("hosts: all", "hosts: db")


@pytest.fixture
def bench(lay: Lay) -> Bench:
    made = lay(schedule=APART)
    made.inventory.variables = RACKS
    return made


def start(bench: Bench, name: str = "patch") -> str:
    return start_by_hand(name, Wish(), site=bench.site)


def held(bench: Bench) -> dict[str, str]:
    return bench.site.store.read(lambda c: locks.held(c, "production"))


def do_pieces(bench: Bench, run: str, number: int) -> None:
    """The next pieces of a run, one after the other, as if by hand."""
    for _ in range(number):
        assert isinstance(advance_run(run, site=bench.site, dispatcher=Nobody()), StartPiece)
        (planned,) = [each for each in bench.site.store.read(pieces.planned) if each.run_id == run]
        run_piece(planned.id, site=bench.site)


class Nobody:
    """Carries no piece to anybody: the test does each itself."""

    def dispatch(self, piece: str) -> None:
        pass


def test_a_run_changes_one_host_of_a_group_at_a_time(bench: Bench) -> None:
    run = start(bench)

    bench.play_out(run)

    assert bench.ansible.played() == [("web-01", "web-03", "db-02"), ("web-02",), ("db-01",)]
    assert bench.site.store.read(lambda c: runs.get(c, run)).verdict is Verdict.SUCCEEDED
    assert held(bench) == {}


def test_groups_are_locked_with_their_hosts_and_given_back_when_the_batch_is_through(bench: Bench) -> None:
    run = start(bench)

    do_pieces(bench, run, 3)
    in_the_batch = held(bench)
    do_pieces(bench, run, 1)
    in_the_next = held(bench)

    assert in_the_batch == dict.fromkeys(["web-01", "web-03", "db-02", "rack=a", "rack=b"], run)
    assert in_the_next == dict.fromkeys(["web-02", "rack=a"], run)


def test_another_run_waits_for_the_group_and_then_gets_it(bench: Bench) -> None:
    (bench.site.root / "schedules" / "databases.yml").write_text(OF_THE_DATABASES)
    bench = bench.but()
    first, second = start(bench), start(bench, "databases")
    do_pieces(bench, first, 1)

    drawn = advance_run(second, site=bench.site, dispatcher=Nobody())
    bench.play_out(first)
    bench.play_out(second)

    assert isinstance(drawn, Wait), "db-01 is in the group that the first run is changing, and db-02 is its host"
    assert [bench.site.store.read(lambda c, r=run: runs.get(c, r)).verdict for run in (first, second)] == [
        Verdict.SUCCEEDED,
        Verdict.SUCCEEDED,
    ]


def test_two_runs_that_want_each_others_groups_both_end(bench: Bench) -> None:
    (bench.site.root / "schedules" / "databases.yml").write_text(
        OF_THE_DATABASES.replace("hosts: db", "hosts: web-03:db")
    )
    first, second = start(bench), start(bench, "databases")

    for _ in range(60):
        for run in (first, second):
            do_one(bench, run)

    verdicts = [bench.site.store.read(lambda c, r=run: runs.get(c, r)).verdict for run in (first, second)]
    assert verdicts == [Verdict.SUCCEEDED, Verdict.SUCCEEDED]


def do_one(bench: Bench, run: str) -> None:
    """The next step of a run; while it waits, the clock goes on."""
    step = advance_run(run, site=bench.site, dispatcher=Nobody())
    if isinstance(step, StartPiece):
        (planned,) = [each for each in bench.site.store.read(pieces.planned) if each.run_id == run]
        run_piece(planned.id, site=bench.site)
    elif isinstance(step, Wait) and step.until:
        bench.time.now = step.until


def test_a_variable_that_no_host_has_holds_the_run(bench: Bench) -> None:
    bench.inventory.variables = {}

    with pytest.raises(Held, match="no host of 'all' has the variable rack, which keeps hosts apart"):
        start(bench)


def test_a_template_holds_the_run(bench: Bench) -> None:
    bench.inventory.variables = {**RACKS, "db-02": {"rack": "{{ site }}"}}

    with pytest.raises(Held, match="rack, which keeps hosts apart, is a template, encrypted or a mapping at db-02"):
        start(bench)
