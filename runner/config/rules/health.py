"""Health checks: names that exist, and numbers to compare with."""

from __future__ import annotations

from collections.abc import Iterator

from runner.config.ground import Ground
from runner.config.names import INVENTORY
from runner.errors import Problem


def problems(ground: Ground) -> Iterator[Problem]:
    """Everything that is wrong with health checks beyond their shape."""
    for check in ground.declared.checks.values():
        yield from ground.names.check(check, INVENTORY, "inventory")
        if "inventory" not in check.raw and not ground.inventory and check.raw:
            says = f"{check.name}: no inventory is named, and there is no default. Add inventory: NAME, or a default in wellkept.yml"
            yield check.problem(says=says)
        if check.raw.get("probe") == "ssh" and "number" not in check.raw:
            for key in ("warn", "fail"):
                if key in check.raw:
                    says = f"{key}: there is no number to compare. Add number: '(\\d+)', which finds it in the answer"
                    yield check.problem(key, says=says, at_key=True)
