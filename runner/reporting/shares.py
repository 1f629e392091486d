"""Honest percentages: parts that add up to exactly 100, and intervals that tell how little a small sample proves."""

from __future__ import annotations

import math
from collections.abc import Sequence

Z_95 = 1.959964  # the normal quantile of a two-sided 95 % interval
_TENTHS = 1000


def percents(counts: Sequence[int]) -> list[float]:
    """Each count's percentage of all, in tenths that add up to exactly 100 (largest remainder); zeros when there is nothing to share."""
    total = sum(counts)
    if not total:
        return [0.0 for _ in counts]
    tenths = [_TENTHS * count // total for count in counts]
    by_remainder = sorted(range(len(counts)), key=lambda index: (-(_TENTHS * counts[index] % total), index))
    for index in by_remainder[: _TENTHS - sum(tenths)]:
        tenths[index] += 1
    return [tenth / 10 for tenth in tenths]


def wilson(count: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a proportion in percent, to a tenth (Wilson, 1927); it stays honest for small samples and near 0 and 100 %."""
    if not of:
        raise ValueError("an interval needs at least one case. Say that there is none instead")
    share, spread = count / of, Z_95**2 / of
    middle = share + spread / 2
    reach = Z_95 * math.sqrt(share * (1 - share) / of + spread / (4 * of))
    low, high = ((middle + sign * reach) / (1 + spread) for sign in (-1, 1))
    return round(100 * max(0.0, low), 1), round(100 * min(1.0, high), 1)
