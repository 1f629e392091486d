"""Finds a schedule by the name that a person gave."""

from __future__ import annotations

import difflib

from runner.domain.execution.schedule import Schedule
from runner.domain.settings import Definitions
from runner.errors import NotFound, UsageError


def schedule_named(name: str, definitions: Definitions) -> Schedule:
    """The schedule of that name, or an error that names the nearest."""
    found = definitions.schedules.get(name)
    if found is None:
        near = difflib.get_close_matches(name, definitions.schedules, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "`wellkept calendar` lists them."
        raise NotFound(f"There is no schedule {name!r}. {hint}")
    return found


def schedule_to_run(name: str, definitions: Definitions) -> Schedule:
    """The schedule of that name, if there is anything to run in it; raises UsageError for a duty of a person."""
    schedule = schedule_named(name, definitions)
    if schedule.is_manual:
        raise UsageError(
            f"{name!r} is a duty that a person does: there is nothing to run. `wellkept tickets list` shows its ticket while it is due; "
            "who has done it says so there: wellkept tickets resolve NUMBER --done 'what was done'"
        )
    return schedule
