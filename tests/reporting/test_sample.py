from __future__ import annotations

from tests.reporting.sample import SAMPLE, sample

LARGEST = 150_000  # bytes; a sample is to be looked at, not to be stored


def test_the_sample_is_up_to_date() -> None:
    kept = SAMPLE.read_bytes()

    assert kept == sample(), "make it again with: python -m tests.reporting.sample"


def test_the_sample_is_small() -> None:
    assert SAMPLE.stat().st_size < LARGEST
