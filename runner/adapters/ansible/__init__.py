"""Runs playbooks by ansible-runner, in processes of their own, below a leash that can always end them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runner.adapters.ansible.playbooks import AnsibleExecutor
    from runner.adapters.ansible.processes import boottime

__all__ = ["AnsibleExecutor", "boottime"]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Load our side only when it is asked for: the executor, started once per piece, has no use for it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from runner.adapters.ansible.playbooks import AnsibleExecutor
    from runner.adapters.ansible.processes import boottime

    return {"AnsibleExecutor": AnsibleExecutor, "boottime": boottime}[name]
