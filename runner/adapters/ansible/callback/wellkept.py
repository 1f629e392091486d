"""Runs inside Ansible: puts the piece's mark on whatever a task starts on a host, and stops softly between two tasks.

While the file $WELLKEPT_STOP exists every further task is skipped. What still runs: notified handlers, `meta` tasks, and the `always:` part of
blocks that had begun.
Both change a task before it is queued, which is not a documented interface: a test watches it on every supported ansible-core.
"""
# ruff: noqa: ANN401, SLF001, PTH110  (Ansible's own objects, and a look that has to be cheap: it happens once for every task)

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from ansible.plugins.callback import CallbackBase  # type: ignore[import-untyped]

DOCUMENTATION = r"""
name: wellkept
type: notification
short_description: mark and soft stop
description: [Marks what runs on hosts with WELLKEPT_PIECE, and starts no further task once WELLKEPT_STOP exists.]
"""


def blocks_around(task: Any) -> Iterator[tuple[str, bool]]:
    """Every block around a task, innermost first, with whether the task lies in its `always` part."""
    child, block = task, task._parent
    while block is not None:
        yield block._uuid, any(each._uuid == child._uuid for each in getattr(block, "always", ()))
        child, block = block, getattr(block, "_parent", None)


def as_list(environment: object) -> list[object]:
    """A task's own environment as a list; it may be a dictionary, a template, a list of both, or not set."""
    if isinstance(environment, (list, tuple)):
        return list(environment)
    return [environment] if isinstance(environment, (dict, str)) else []


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Marks tasks, and skips them once a soft stop was asked for."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "wellkept"

    def __init__(self) -> None:
        """Read what the executor left in the environment."""
        super().__init__()
        self._stop = os.environ.get("WELLKEPT_STOP", "")
        self._piece = os.environ.get("WELLKEPT_PIECE", "")
        self._begun: set[str] = set()
        self._told = False

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        """Mark a handler; handlers that were notified still run after a soft stop."""
        self._mark(task)

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: FBT001
        """Mark a task, or skip it."""
        self._mark(task)
        around = list(blocks_around(task))
        if not (self._stop and os.path.exists(self._stop)):
            self._begun.update(block for block, _ in around)
        elif not any(is_always and block in self._begun for block, is_always in around):
            self._tell()
            task.when = [False]

    def _mark(self, task: Any) -> None:
        if self._piece and not getattr(task, "_wellkept", False):
            task.environment = [{"WELLKEPT_PIECE": self._piece}, *as_list(getattr(task, "_environment", None))]
            task._wellkept = True

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            self._display.warning("wellkept: soft stop, no further task is started")
