"""Work on a cadence: intervals counted from the Unix epoch, in each of which a round is expected; what is missed is not caught up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PUNCTUAL = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Interval:
    """[begins, ends); it belongs to the UTC day on which it begins."""

    begins: datetime
    ends: datetime

    @property
    def every(self) -> timedelta:
        """How long it is."""
        return self.ends - self.begins


def interval_at(instant: datetime, every: timedelta) -> Interval:
    """The interval that an instant lies in."""
    begins = instant - (instant - EPOCH) % every
    return Interval(begins, begins + every)


def before(interval: Interval) -> Interval:
    """The interval before this one."""
    return Interval(interval.begins - interval.every, interval.begins)


def is_due(every: timedelta, last: Interval | None, *, now: datetime) -> bool:
    """Whether a later interval has begun than the last one that was counted; also when that one had another length."""
    return last is None or interval_at(now, every).begins > last.begins


def missed_before(interval: Interval, last: Interval | None) -> Iterator[tuple[date, int]]:
    """How many intervals passed by between the last one that was counted and this one, by day.

    Without a last one nothing was expected before. The same holds for one of another length: when the length was changed is not known.
    """
    if last is None or last.every != interval.every:
        return
    from_ = last.ends
    while from_ < interval.begins:
        midnight = datetime.combine(from_.date() + DAY, datetime.min.time(), tzinfo=UTC)
        to = min(midnight, interval.begins)
        if number := begun_in(from_, to, interval.every):
            yield from_.date(), number
        from_ = to


def begun_in(from_: datetime, to: datetime, every: timedelta) -> int:
    """How many intervals begin in [from_, to)."""
    return (EPOCH - from_) // every - (EPOCH - to) // every


def is_late(interval: Interval, last: Interval | None, *, began: datetime) -> bool:
    """Whether a round began late: more than a minute after its interval, or after half of an interval that is shorter than two minutes.

    The first round of a cadence, or of one whose length was changed, is never late: nobody expected it at the beginning of its interval.
    """
    expected = last is not None and last.every == interval.every
    return expected and began - interval.begins > min(PUNCTUAL, interval.every / 2)
