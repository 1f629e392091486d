"""What the tests of the starter playbooks share: real hosts, and the user's own ansible-playbook."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.fixtures import fresh_lab, lab

__all__ = ["fresh_lab", "lab"]

CHECKOUT = Path(__file__).resolve().parents[2]
RECAP = re.compile(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Played:
    """How a playbook ended for each host (ok, changed, failed, unreachable), and everything that Ansible said."""

    ended: dict[str, str]
    output: str

    def said(self, text: str) -> bool:
        """Whether Ansible said it, wherever its lines broke."""
        return text in " ".join(self.output.split())


Play = Callable[..., Played]


@pytest.fixture(scope="session")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """Runs a starter playbook on hosts of a lab, as a person would do it by hand."""
    home = tmp_path_factory.mktemp("ansible")
    sockets = tempfile.mkdtemp(prefix="wk-", dir="/tmp")  # the path of an ssh control socket must be short
    environment = {
        **os.environ,
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": sockets,
    }

    def run(inventory: Path, playbook: str, *hosts: str, check: bool = False, **variables: object) -> Played:
        command = [
            *(str(Path(sys.executable).with_name("ansible-playbook")), "--inventory", str(inventory)),
            *("--limit", ",".join(hosts), "--extra-vars", json.dumps(variables), *(["--check"] if check else [])),
            str(CHECKOUT / "playbooks" / playbook),
        ]
        answer = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,  # Ansible refuses one that some ssh, killed by another test, left non-blocking
            capture_output=True,
            text=True,
            env=environment,
            timeout=200,
        )
        return Played(dict(ends(answer.stdout)), answer.stdout + answer.stderr)

    yield run
    shutil.rmtree(sockets)


def ends(output: str) -> Iterator[tuple[str, str]]:
    """Each host's end, from Ansible's recap."""
    for host, *counts in RECAP.findall(output):
        changed, unreachable, failed = map(int, counts)
        yield host, "unreachable" if unreachable else "failed" if failed else "changed" if changed else "ok"
