"""The metronome: beats survive their own trouble, never wait for each other, and stop cleanly."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from runner.adapters.signals import stop_on_signals
from runner.daemon import Beat, guarded, in_background, is_out_of_step, keep_time, wound


def test_every_beat_is_done_at_once_and_until_it_is_told_to_stop() -> None:
    stopping, done = threading.Event(), list[str]()

    def last() -> None:
        done.append("last")
        stopping.set()

    keep_time([Beat("first", 60, lambda: done.append("first")), Beat("last", 60, last)], stopping=stopping)

    assert done == ["first", "last"]


def test_every_round_is_told_but_for_the_one_that_hangs() -> None:
    stopping, may_end, rounds = threading.Event(), threading.Event(), list[int]()
    beats = [Beat("hangs from its second time on", 1, lambda: bool(rounds) and may_end.wait(30))]
    keeping = threading.Thread(target=lambda: keep_time(beats, stopping=stopping, turned=lambda: rounds.append(1)))
    keeping.start()

    keeping.join(4)
    while_it_hung = len(rounds)
    keeping.join(2)
    after_longer = len(rounds)
    stopping.set()
    may_end.set()
    keeping.join(30)

    assert 1 <= while_it_hung == after_longer
    assert not keeping.is_alive()


def test_a_beat_that_fails_is_logged_and_keeps_no_other(caplog: pytest.LogCaptureFixture) -> None:
    stopping = threading.Event()

    def fails() -> None:
        raise OSError("the disk is full")

    with caplog.at_level(logging.ERROR):
        keep_time([Beat("fails", 60, fails), Beat("last", 60, stopping.set)], stopping=stopping)

    assert stopping.is_set()
    assert "The beat 'fails' failed" in caplog.text


def test_a_clock_that_was_set_back_does_not_stop_the_beats() -> None:
    beats = [Beat("tick", 2, lambda: None), Beat("ledger", 60, lambda: None)]
    metronome = wound(beats)
    in_step = is_out_of_step(metronome, beats)

    for job in metronome.jobs:
        job.next_run += timedelta(hours=1)  # as an hour set back looks from here

    assert not in_step
    assert is_out_of_step(metronome, beats)
    assert not is_out_of_step(wound(beats), beats)


def test_a_slow_beat_in_the_background_delays_nobody_and_is_not_begun_twice() -> None:
    going, may_end, begun = threading.Event(), threading.Event(), list[int]()

    def slow() -> None:
        begun.append(1)
        going.set()
        may_end.wait(10)

    beat = in_background(Beat("slow", 1, slow))
    beat()
    going.wait(10)
    beat()
    may_end.set()

    assert begun == [1]


def test_it_is_begun_again_once_it_has_ended_even_by_its_own_trouble() -> None:
    ended = threading.Semaphore(0)

    def fails() -> None:
        ended.release()
        raise OSError("no")

    beat = in_background(Beat("fails", 1, fails))
    for _ in range(2):
        beat()
        assert ended.acquire(timeout=10)
        for thread in threading.enumerate():
            if thread.name == "fails":
                thread.join(10)


def test_a_guarded_beat_gives_nothing_and_raises_nothing() -> None:
    assert guarded(Beat("fails", 1, lambda: 1 / 0))() is None  # type: ignore[func-returns-value]


@pytest.fixture
def own_signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, each in before.items():
        signal.signal(number, each)


@pytest.mark.usefixtures("own_signals")
def test_the_first_signal_stops_and_the_second_stops_harder() -> None:
    stopping, harder = threading.Event(), threading.Event()
    stop_on_signals(stopping, harder=harder.set)

    signal.raise_signal(signal.SIGTERM)
    after_one = (stopping.is_set(), harder.is_set())
    signal.raise_signal(signal.SIGINT)

    assert after_one == (True, False)
    assert harder.wait(10)
