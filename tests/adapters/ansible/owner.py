"""An owner of a piece in a process of its own, to be killed or stopped: `python owner.py ORDER.json SECONDS`; it prints its leash's pid."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from runner.adapters.ansible import AnsibleExecutor
from runner.domain.execution.own_ansible import AnsibleSettings
from runner.ports import PieceOrder

PATHS = ("folder", "control_path", "project", "playbook")


def main(path: str, seconds: str) -> None:
    """Start the piece and feed it until its end."""
    values = json.loads(Path(path).read_text(encoding="utf-8"))
    values |= {name: Path(values[name]) for name in PATHS} | {"inventory": tuple(values["inventory"]), "limit": None}
    values["ansible"] = AnsibleSettings(image=values.pop("image"))
    executor = AnsibleExecutor()
    piece = executor.start(PieceOrder(**values))
    print(piece.leash_pid, flush=True)
    while piece.end() is None:
        piece.feed(float(seconds))
        piece.events(wait=0.2)


if __name__ == "__main__":
    main(*sys.argv[1:])
