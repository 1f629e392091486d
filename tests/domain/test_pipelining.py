"""When pipelining counts as proved."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from runner.domain.execution.pipelining import FRESH, Proof, Way, is_proved

NOON = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
WAY = Way("2.19.0")
PROOF = Proof(True, NOON, "id-of-web-01", WAY)


def proved(proof: Proof | None, *, machine_id: str | None = "id-of-web-01", way: Way = WAY, after: timedelta) -> bool:
    return is_proved(proof, machine_id=machine_id, way=way, now=NOON + after)


def test_a_fresh_proof_of_the_same_machine_by_the_same_ansible_counts() -> None:
    assert proved(PROOF, after=timedelta(0))
    assert proved(PROOF, after=FRESH - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("proof", "more"),
    [
        (None, {}),
        (replace(PROOF, works=False), {}),
        (replace(PROOF, machine_id=None), {"machine_id": None}),
        (PROOF, {"machine_id": "another machine under this name"}),
        (PROOF, {"way": Way("2.20.0")}),
        (PROOF, {"way": Way("2.19.0", bin="/opt/ansible-2.19/bin")}),
        (PROOF, {"way": Way("2.19.0", config="other.cfg")}),
    ],
)
def test_anything_else_is_no_proof(proof: Proof | None, more: dict[str, object]) -> None:
    assert not proved(proof, after=timedelta(hours=1), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("after", [FRESH, timedelta(seconds=-1)])
def test_an_old_proof_and_one_of_the_future_count_for_nothing(after: timedelta) -> None:
    assert not proved(PROOF, after=after)
