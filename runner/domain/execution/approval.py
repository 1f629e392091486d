"""Approvals: who must allow a change before it runs, what exactly was allowed, and for as long as what is it still allowed."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from runner.domain.execution.schedule import ChangeType


class Policy(StrEnum):
    """Who must approve a change before it runs."""

    NONE = "none"
    SELF = "self"  # anybody who may, also who asked for it: reports count that
    OTHER = "other"  # anybody who may, but for who asked for it


BY_DEFAULT: Mapping[ChangeType, Policy] = {
    ChangeType.STANDARD: Policy.NONE,
    ChangeType.NORMAL: Policy.OTHER,
    ChangeType.EMERGENCY: Policy.NONE,
}
