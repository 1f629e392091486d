from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.reporting.spoken import brief, length, local_span, local_time, percentage, short_id, size, utc_span

SUMMER = {"utc": "2026-10-25T00:30:00Z", "local": "2026-10-25T02:30:00+02:00", "zone": "CEST"}
WINTER = {"utc": "2026-10-25T01:30:00Z", "local": "2026-10-25T02:30:00+01:00", "zone": "CET"}
NEXT_DAY = {"utc": "2026-10-26T01:30:00Z", "local": "2026-10-26T02:30:00+01:00", "zone": "CET"}


def test_a_moment_is_told_with_its_zone() -> None:
    assert local_time(SUMMER) == "Sun 25 Oct 2026, 02:30 CEST"


def test_a_span_over_the_change_of_the_clocks_names_both_zones() -> None:
    assert local_span(SUMMER, WINTER) == "Sun 25 Oct 2026, 02:30 CEST to 02:30 CET"
    assert utc_span(SUMMER, WINTER) == "2026-10-25 00:30 to 01:30 UTC"


def test_a_span_over_midnight_names_both_days() -> None:
    assert local_span(WINTER, NEXT_DAY) == "Sun 25 Oct 2026, 02:30 to Mon 26 Oct 2026, 02:30 CET"
    assert utc_span(WINTER, NEXT_DAY) == "2026-10-25 01:30 to 2026-10-26 01:30 UTC"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, "not known"), (0, "0 s"), (61, "1 min 1 s"), (3600, "1 h"), (5430, "1 h 30 min"), (90_000, "1 d 1 h")],
)
def test_lengths_are_told_to_the_minute_once_they_are_long(seconds: int | None, told: str) -> None:
    assert length(seconds) == told


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (2**60, "1048576.0 TiB")]
)
def test_sizes_have_their_unit(number: int, told: str) -> None:
    assert size(number) == told


def test_percentages_have_no_needless_zero() -> None:
    assert [percentage(80.0), percentage(37.6)] == ["80 %", "37.6 %"]


def test_a_short_id_is_a_prefix_that_finds_its_record() -> None:
    assert short_id("01a0c450-8aef-7000-aa99-b4b1f77dd0fc") == "01a0c450-8aef"


@given(st.text(), st.integers(20, 300))
def test_a_brief_message_is_one_line_that_keeps_its_beginning_and_end(text: str, most: int) -> None:
    told = brief(text, most)

    plain = " ".join(text.split())
    assert len(told) <= most
    assert "\n" not in told
    assert plain[:5].startswith(told[:5])
    assert plain.endswith(told[-5:])
