"""At most so many hosts over all runs: a batch is drawn with what is left, and claimed only if that is still so."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from runner.domain.execution.next_step import NO_PLACE, NextStep, StartPiece, Wait
from runner.domain.execution.outcome import NotRun
from runner.domain.execution.run import Verdict
from runner.errors import Held
from runner.operations.execution.advance_run import advance_run
from runner.operations.execution.run_piece import run_piece
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.operations.status_values import Recorded
from runner.operations.summarise_status import recorded_at
from runner.store.execution import holds, locks, outcomes, pieces, places, runs
from tests.operations.a_site import SCHEDULE, SETTINGS, Bench
from tests.operations.conftest import Lay

HOUR = timedelta(hours=1)
BESIDE = "schedule: beside\ntitle: Updates of the databases\nwhy: x\nplaybook: playbooks/patch.yml\nhosts: db\nwindow: saturday-night\n"
WEB = SCHEDULE.replace("hosts: all", "hosts: web")


class Nobody:
    """Hands pieces to nobody: the tests do them, when they want to."""

    def dispatch(self, piece: str) -> None:
        """Leave it planned."""

    def busy(self) -> bool:
        return False

    def drain(self, *, wait: float) -> bool:
        return True


def most(number: int) -> str:
    return SETTINGS + f"boundaries: {{max_concurrent_hosts: {number}}}\n"


def laid(lay: Lay, number: int, schedule: str = WEB, beside: str = BESIDE) -> Bench:
    return lay(settings=most(number), schedule=schedule, **{"schedules/beside.yml": beside})


def begin(bench: Bench, schedule: str) -> tuple[str, NextStep | None]:
    """Start a run and let it take its first step."""
    run_id = start_by_hand(schedule, Wish(), site=bench.site)
    return run_id, step(bench, run_id)


def step(bench: Bench, run_id: str) -> NextStep | None:
    return advance_run(run_id, site=bench.site, dispatcher=Nobody())


def planned(bench: Bench, run_id: str) -> pieces.Piece:
    """The piece of a run that waits for somebody to do it."""
    return next(p for p in bench.site.store.read(pieces.planned) if p.run_id == run_id)


def claim(bench: Bench, run_id: str) -> None:
    """Somebody claims the run's planned piece, and is at work on it for a long time."""
    piece = planned(bench, run_id)
    claimed = partial(pieces.claim, owner=bench.site.owner, inventory="production", lease=HOUR)
    assert bench.site.store.write(lambda c: claimed(c, piece.id))


def at_work(bench: Bench) -> str:
    """A run that has the two databases in hand."""
    run_id, _ = begin(bench, "beside")
    claim(bench, run_id)
    return run_id


def drawn(taken: NextStep | None) -> tuple[str, ...]:
    assert isinstance(taken, StartPiece), taken
    return taken.hosts


def test_alone_a_run_has_all_places(lay: Lay) -> None:
    _, taken = begin(laid(lay, 3), "patch")

    assert drawn(taken) == ("web-01", "web-02", "web-03")


def test_a_batch_is_no_larger_than_the_places(lay: Lay) -> None:
    bench = laid(lay, 2)
    run_id = start_by_hand("patch", Wish(), site=bench.site)
    bench.play_out(run_id)

    assert bench.ansible.played() == [("web-01", "web-02"), ("web-03",)]


def test_a_batch_is_drawn_with_what_other_runs_leave(lay: Lay) -> None:
    bench = laid(lay, 3)
    at_work(bench)

    _, taken = begin(bench, "patch")

    assert drawn(taken) == ("web-01",)


def test_without_any_place_a_run_waits_and_says_for_what(lay: Lay) -> None:
    bench = laid(lay, 2)
    at_work(bench)

    run_id, taken = begin(bench, "patch")

    assert taken == Wait(bench.time.now + timedelta(seconds=10), NO_PLACE)
    (kept,) = bench.site.store.read(lambda c: holds.of_run(c, "patch", run_id))
    assert (kept.guard, kept.reason) == ("boundary", NO_PLACE.reason)


def test_a_run_that_waits_is_noted_once_and_seen_by_everybody(lay: Lay) -> None:
    bench = laid(lay, 2)
    at_work(bench)
    run_id, _ = begin(bench, "patch")
    for _ in range(4):
        bench.time.pass_by(timedelta(seconds=10))
        step(bench, run_id)

    (kept,) = bench.site.store.read(lambda c: holds.of_run(c, "patch", run_id))
    now: Recorded = bench.site.store.read(lambda c: recorded_at(c, now=bench.time.now))
    assert kept.last_seen == bench.time.now
    assert {going.schedule: going.doing for going in now.running}["patch"] == f"waits: {NO_PLACE.reason}"


def test_it_goes_on_when_the_other_run_has_ended(lay: Lay) -> None:
    bench = laid(lay, 2)
    other = at_work(bench)
    run_id, _ = begin(bench, "patch")
    bench.site.store.write(lambda c: locks.release(c, other))

    assert drawn(step(bench, run_id)) == ("web-01", "web-02")


def test_hosts_that_had_no_place_up_to_the_last_start_are_left_over(lay: Lay) -> None:
    bench = laid(lay, 2)
    at_work(bench)
    run_id, _ = begin(bench, "patch")
    bench.time.pass_by(5 * HOUR)
    step(bench, run_id)

    run = bench.site.store.read(lambda c: runs.get(c, run_id))
    rows = bench.site.store.read(lambda c: outcomes.of_run(c, run_id))
    assert run.verdict is Verdict.DEGRADED
    assert {row.result.reason for row in rows} == {NotRun.CUTOFF}


def test_of_two_that_draw_at_the_same_moment_one_is_sent_back(lay: Lay) -> None:
    bench = laid(lay, 4)
    first, _ = begin(bench, "beside")
    second, taken = begin(bench, "patch")
    assert drawn(taken) == ("web-01", "web-02", "web-03")  # the other one has claimed nothing yet
    claim(bench, first)

    run_piece(planned(bench, second).id, site=bench.site)

    assert bench.ansible.orders == []
    assert drawn(step(bench, second)) == ("web-01", "web-02")


def test_a_batch_that_has_begun_goes_through_all_its_stages(lay: Lay) -> None:
    bench = laid(lay, 3)
    run_id, _ = begin(bench, "patch")
    run_piece(planned(bench, run_id).id, site=bench.site)
    (bench.site.root / "wellkept.yml").write_text(most(1))
    for _ in range(2):
        step(bench, run_id)
        run_piece(planned(bench, run_id).id, site=bench.site)

    assert bench.ansible.played() == [("web-01", "web-02", "web-03")]


@pytest.mark.parametrize("change", ["effect: read_only\n", "split: whole\n"])
def test_one_that_only_looks_takes_no_place_and_one_that_changes_takes_a_place_for_each_host(
    lay: Lay, change: str
) -> None:
    bench = laid(lay, 3, beside=BESIDE + change)
    at_work(bench)

    _, taken = begin(bench, "patch")

    assert len(drawn(taken)) == (3 if "read_only" in change else 1)


def test_one_that_only_looks_waits_for_no_place(lay: Lay) -> None:
    bench = laid(lay, 1, schedule=WEB + "effect: read_only\n")

    _, taken = begin(bench, "patch")

    assert len(drawn(taken)) == 3


def test_one_call_for_all_hosts_waits_until_there_are_places_for_all_of_them(lay: Lay) -> None:
    bench = laid(lay, 4, schedule=WEB + "split: whole\n")
    other = at_work(bench)
    run_id, waited = begin(bench, "patch")
    bench.site.store.write(lambda c: locks.release(c, other))

    assert isinstance(waited, Wait)
    assert len(drawn(step(bench, run_id))) == 3


def test_one_call_for_more_hosts_than_there_are_places_is_refused(lay: Lay) -> None:
    bench = laid(lay, 2, schedule=WEB + "split: whole\n")

    with pytest.raises(Held, match="the boundary max_concurrent_hosts: 2 forbids split: whole for 3 hosts"):
        start_by_hand("patch", Wish(override="all the same", until=bench.time.now + HOUR), site=bench.site)


def test_the_place_of_a_host_is_taken_whatever_inventory_it_is_in(lay: Lay) -> None:
    elsewhere = most(3).replace("inventories:\n", "inventories:\n  elsewhere: {source: hosts.ini}\n")
    bench = lay(settings=elsewhere, schedule=WEB, **{"schedules/beside.yml": BESIDE + "inventory: elsewhere\n"})
    at_work(bench)

    assert bench.site.store.read(lambda c: places.taken(c, besides="")) == 2
