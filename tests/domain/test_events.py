"""Events come in order and are numbered on their dates, whatever span is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from runner.domain.time.events import Event, Events, in_order

HOURS = st.integers(0, 6 * 366 * 24)


def an_event(hours: int, ahead: int) -> Event:
    """An event whose local date is up to a day from its date in UTC."""
    opens = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    return Event((opens + timedelta(hours=ahead)).date(), opens, opens + timedelta(hours=1))


def kept(several: list[Event]) -> Events:
    def between(first: date, last: date) -> Iterable[Event]:
        return [event for event in several if first <= event.named <= last]

    return Events("some", (), timedelta(hours=1), between)


@given(st.lists(st.builds(an_event, HOURS, st.integers(-12, 14)), max_size=30))
def test_events_of_many_years_come_in_the_order_of_their_instants(several: list[Event]) -> None:
    found = [event for event, _ in in_order(kept(several), first=date(2023, 12, 1), last=date(2031, 1, 1))]

    assert sorted(found, key=lambda event: (event.opens, event.named)) == sorted(set(several), key=lambda event: (event.opens, event.named))  # fmt: skip
    assert [event.opens for event in found] == sorted(event.opens for event in found)


@given(
    st.lists(st.builds(an_event, HOURS, st.integers(-12, 14)), max_size=30),
    st.dates(date(2024, 1, 1), date(2029, 1, 1)),
    st.integers(0, 900),
)
def test_the_number_of_an_event_does_not_depend_on_the_span(several: list[Event], first: date, days: int) -> None:
    events, last = kept(several), first + timedelta(days=days)
    in_all = dict(in_order(events, first=date(2023, 12, 1), last=date(2031, 1, 1)))

    assert all(in_all[event] == number for event, number in in_order(events, first=first, last=last))
    assert {event for event, _ in in_order(events, first=first, last=last)} == {each for each in in_all if first <= each.named <= last}  # fmt: skip
