"""A leash is fed only as long as nobody else can have taken the piece over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from runner.errors import StoreUnavailable
from runner.operations.execution.heartbeat import FED_UNTIL, FEED_FOR, LEASE, RENEW_EVERY, RETRY_EVERY, Heartbeat

ENDED_WITHIN = 8.0  # seconds from TERM to KILL


@dataclass
class Beating:
    """A heartbeat that is beaten by hand, second by second."""

    answers: Callable[[], bool] = lambda: True
    now: float = 1000.0
    since: float = 1000.0
    fed: list[float] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.heart = Heartbeat(
            renew=self.renew, feed=lambda _: self.fed.append(self.now), monotonic=lambda: self.now, since=self.since
        )

    def renew(self) -> bool:
        self.sent.append(self.now)
        return self.answers()

    def beat(self, seconds: int, every: float = 1.0) -> None:
        until = self.now + seconds
        while self.now < until and not self.heart.lost.is_set():
            self.heart.once()
            self.now += every


def away() -> bool:
    raise StoreUnavailable("the database is away")


def test_the_lease_is_renewed_every_twenty_seconds() -> None:
    beating = Beating()

    beating.beat(61)

    assert [sent - 1000 for sent in beating.sent] == [RENEW_EVERY, 2 * RENEW_EVERY, 3 * RENEW_EVERY]


def test_the_leash_is_fed_at_every_beat() -> None:
    beating = Beating()

    beating.beat(10)

    assert len(beating.fed) == 10


def test_a_renewal_that_fails_is_tried_again_and_again_every_few_seconds() -> None:
    beating = Beating(away)

    beating.beat(30)

    assert [sent - 1000 for sent in beating.sent] == [20.0, 22.0, 24.0, 26.0, 28.0]
    assert RETRY_EVERY <= 5


def test_a_database_that_is_away_for_two_minutes_stops_nothing() -> None:
    beating = Beating(away)
    beating.beat(120)

    beating.answers = lambda: True
    beating.beat(140)

    assert not beating.heart.lost.is_set()
    assert beating.fed[-1] == beating.now - 1


def test_feeding_stops_150_seconds_after_the_last_confirmed_renewal_was_sent() -> None:
    beating = Beating(away)

    beating.beat(400)

    assert beating.heart.lost.is_set()
    assert beating.fed[-1] - 1000 == FED_UNTIL - 1


def test_a_stale_fence_is_a_lost_lease_at_once() -> None:
    beating = Beating(lambda: False)

    beating.beat(400)

    assert beating.heart.lost.is_set()
    assert beating.now - 1000 == RENEW_EVERY + 1


def test_the_lease_counts_from_its_claim_however_long_the_start_took() -> None:
    beating = Beating(away, now=1000.0 + FED_UNTIL, since=1000.0)

    beating.beat(5)

    assert beating.heart.lost.is_set()
    assert beating.fed == []


def test_after_a_slow_start_the_lease_is_renewed_at_the_first_beat() -> None:
    beating = Beating(now=1100.0, since=1000.0)

    beating.beat(1)

    assert beating.sent == [1100.0]


def test_the_thread_beats_until_it_is_left() -> None:
    fed: list[float] = []

    with Heartbeat(renew=lambda: True, feed=fed.append, monotonic=lambda: 0.0, since=0.0):
        pass

    assert set(fed) <= {FEED_FOR}


def test_a_renewal_that_was_confirmed_late_counts_from_when_it_was_sent() -> None:
    beating = Beating()

    def slow() -> bool:
        beating.now += 40
        beating.answers = away
        return True

    beating.answers = slow
    beating.beat(400)

    assert beating.fed[-1] < 1000 + RENEW_EVERY + FED_UNTIL


@given(st.lists(st.one_of(st.none(), st.floats(0, 30)), max_size=60), st.floats(0.2, 6.0))
def test_the_leash_is_dead_before_the_lease_may_be_taken_over(delays: list[float | None], pace: float) -> None:
    """None is a database that is away; a number is how many seconds it took to confirm a renewal that it had granted at once."""
    coming: Iterator[float | None] = iter(delays)
    granted = [1000.0]
    beating = Beating()

    def answer() -> bool:
        if (delay := next(coming, None)) is None:
            return away()
        granted.append(beating.now)
        beating.now += delay
        return True

    beating.answers = answer
    beating.beat(5000, every=pace)

    assert beating.heart.lost.is_set()
    assert beating.fed[-1] + FEED_FOR + ENDED_WITHIN < granted[-1] + LEASE.total_seconds()
