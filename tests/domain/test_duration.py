from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.time.duration import Duration, describe, parse_duration, parse_timedelta


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("45m", Duration(elapsed=timedelta(minutes=45))),
        ("4h", Duration(elapsed=timedelta(hours=4))),
        ("1h30m", Duration(elapsed=timedelta(hours=1, minutes=30))),
        ("2s", Duration(elapsed=timedelta(seconds=2))),
        ("14d", Duration(days=14)),
        ("2w", Duration(days=14)),
        ("6mo", Duration(months=6)),
        ("1mo2w3d4h5m6s", Duration(months=1, days=17, elapsed=timedelta(hours=4, minutes=5, seconds=6))),
        ("0m", Duration()),
    ],
)
def test_one_grammar_reads_every_duration(text: str, expected: Duration) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    ("text", "way_out"),
    [
        ("4 hours", "Write 4h"),
        ("90 mins", "Write 90m"),
        ("1 hour, 30 minutes", "Write 1h30m"),
        ("4H", "Write 4h"),
        ("1:30", "Write 1h30m"),
        ("45", "Add its unit: 45m or 45h"),
        ("PT4H", "Write it as 45m, 4h, 14d, 2w, 6mo or 1h30m"),
        ("30m1h", "Write it as"),
        ("-4h", "Write it as"),
        ("", "Write it as"),
        ("٤h", "Write it as"),
        ("9" * 50 + "h", "Write it as"),
    ],
)
def test_what_is_no_duration_is_refused_with_the_way_out(text: str, way_out: str) -> None:
    with pytest.raises(ValueError, match="is not a duration") as refused:
        parse_duration(text)

    assert way_out in str(refused.value)


@pytest.mark.parametrize("text", ["99999999999h", "4000d", "600w", "200mo", "999999999999999d"])
def test_more_than_ten_years_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="longer than ten years"):
        parse_duration(text)


def test_months_have_no_fixed_length() -> None:
    with pytest.raises(ValueError, match="months have no fixed length"):
        parse_timedelta("6mo")


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3000)))
def test_what_is_described_reads_back_the_same_to_the_second(span: timedelta) -> None:
    assert parse_timedelta(describe(span)) == timedelta(seconds=span // timedelta(seconds=1))


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        read = parse_duration(text)
    except ValueError:
        read = None

    assert read is None or read.elapsed >= timedelta(0)
