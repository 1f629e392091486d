"""The sign of life goes out only while the scheduler's work goes on, and never stops that work."""

from __future__ import annotations

import logging

import pytest

from runner.operations.prove_life import prove_life
from runner.store.execution import daemons
from tests.operations.a_site import Bench

SECRET = "https://ping.example/secret"


def beating(bench: Bench) -> None:
    bench.site.store.write(lambda c: daemons.beat(c, bench.site.owner, started_at=bench.time.now))


def test_a_scheduler_whose_beat_is_in_the_record_tells_that_it_lives(bench: Bench) -> None:
    beating(bench)
    heard = list[int]()

    taken = prove_life(site=bench.site, ping=lambda: heard.append(1) or 200)

    assert (taken, heard) == (True, [1])


def test_one_that_is_not_in_the_record_keeps_silent(bench: Bench) -> None:
    heard = list[int]()

    taken = prove_life(site=bench.site, ping=lambda: heard.append(1) or 200)

    assert (taken, heard) == (False, [])


@pytest.mark.parametrize("trouble", [OSError(f"{SECRET} is away"), ValueError(SECRET)])
def test_a_ping_that_is_not_taken_is_logged_without_its_address(
    bench: Bench, trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    beating(bench)

    def fails() -> int:
        raise trouble

    with caplog.at_level(logging.WARNING):
        taken = prove_life(site=bench.site, ping=fails)

    assert not taken
    assert "The dead-man ping was not taken" in caplog.text
    assert SECRET not in caplog.text


def test_an_answer_that_says_no_is_logged(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    beating(bench)

    with caplog.at_level(logging.WARNING):
        taken = prove_life(site=bench.site, ping=lambda: 404)

    assert not taken
    assert "status 404" in caplog.text
