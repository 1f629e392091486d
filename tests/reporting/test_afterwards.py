"""What was done about a host that failed stands in the report beside why it failed."""

from __future__ import annotations

from typing import Any

from runner.domain.execution.outcome import Result
from runner.reporting.hosts import explanation
from runner.store.record.period_rows import OutcomeRow


def a_row(**changes: Any) -> OutcomeRow:
    values: dict[str, Any] = {
        "run_id": "run-1",
        "inventory": "production",
        "host": "web-01",
        "schedule": "patch-web",
        "result": Result.CHANGED,
        "touched": True,
        "reason": None,
        "cause": None,
        "text": "",
        "task": "",
        "module": "",
        "started_at": None,
        "ended_at": None,
        "packages": [],
        "reboot": None,
        "machine_id": None,
        "attempts": 1,
        "rollback": None,
        "own_words": None,
    }
    return OutcomeRow(**{**values, **changes})


def test_what_went_well_at_the_first_try_needs_no_word() -> None:
    assert explanation(a_row(), service="") == ""


def test_several_tries_are_told_also_when_the_last_went_well() -> None:
    assert explanation(a_row(attempts=2), service="") == "The work was tried 2 times; the last try is what counts."


def test_a_rollback_is_told_after_the_cause() -> None:
    failed = {"result": Result.FAILED, "cause": "disk_full"}

    well = explanation(a_row(**failed, rollback={"result": "changed", "cause": None, "text": ""}), service="")
    badly = explanation(a_row(**failed, rollback={"result": "failed", "text": "no old version.\nmore"}), service="")

    assert well.endswith(" It was rolled back.")
    assert badly.endswith(" The rollback failed: no old version.")


def test_a_row_of_an_older_version_tells_nothing_of_tries() -> None:
    assert explanation(a_row(attempts=None), service="") == ""
