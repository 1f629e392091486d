from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.time.coming import SPANS, coming

BERLIN = ZoneInfo("Europe/Berlin")


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


@pytest.mark.parametrize(
    ("name", "now", "from_", "to"),
    [
        ("night", "2026-03-18 12:00", "2026-03-18 18:00", "2026-03-19 06:00"),
        ("night", "2026-03-18 03:00", "2026-03-18 03:00", "2026-03-18 06:00"),
        ("night", "2026-03-18 06:00", "2026-03-18 18:00", "2026-03-19 06:00"),
        ("weekend", "2026-03-18 12:00", "2026-03-20 18:00", "2026-03-23 06:00"),
        ("weekend", "2026-03-22 12:00", "2026-03-22 12:00", "2026-03-23 06:00"),
        ("weekend", "2026-03-23 06:00", "2026-03-27 18:00", "2026-03-30 06:00"),
        ("week", "2026-03-18 12:00", "2026-03-23 00:00", "2026-03-30 00:00"),
        ("week", "2026-03-23 00:00", "2026-03-30 00:00", "2026-04-06 00:00"),
    ],
)
def test_a_span_that_is_going_on_counts_from_now_and_otherwise_the_next_one_is_meant(
    name: str, now: str, from_: str, to: str
) -> None:
    assert coming(name, now=berlin(now), zone=BERLIN) == (berlin(from_), berlin(to))


@given(st.sampled_from(sorted(SPANS)), st.integers(0, 10 * 365 * 24 * 60))
def test_a_span_is_never_behind_nor_far_ahead(name: str, minutes: int) -> None:
    now = berlin("2020-01-01 00:00") + timedelta(minutes=minutes)

    from_, to = coming(name, now=now, zone=BERLIN)

    assert now <= from_ < to <= now + timedelta(days=15)
