from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.reporting.shares import percents, wilson


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=12).filter(any))
def test_percentages_add_up_to_exactly_one_hundred(counts: list[int]) -> None:
    tenths = [round(10 * percent) for percent in percents(counts)]

    assert sum(tenths) == 1000
    assert all(abs(tenth - 1000 * count / sum(counts)) <= 1 for tenth, count in zip(tenths, counts, strict=True))


def test_thirds_share_the_tenth_that_is_left() -> None:
    assert percents([1, 1, 1]) == [33.4, 33.3, 33.3]


def test_nothing_is_shared_as_zeros() -> None:
    assert percents([0, 0]) == [0.0, 0.0]


@pytest.mark.parametrize(
    ("count", "of", "interval"),
    [(9, 10, (59.6, 98.2)), (95, 100, (88.8, 97.8)), (0, 5, (0.0, 43.4)), (5, 5, (56.6, 100.0))],
)
def test_the_wilson_interval_has_the_published_values(count: int, of: int, interval: tuple[float, float]) -> None:
    assert wilson(count, of) == interval


@given(st.integers(1, 5000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_interval_holds_its_share_and_stays_within_0_and_100(case: tuple[int, int]) -> None:
    count, of = case

    low, high = wilson(count, of)

    assert 0 <= low <= round(100 * count / of + 0.05, 1)
    assert round(100 * count / of - 0.05, 1) <= high <= 100


def test_no_case_has_no_interval() -> None:
    with pytest.raises(ValueError, match="at least one case"):
        wilson(0, 0)
