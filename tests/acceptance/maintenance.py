"""A small maintenance repository over the lab's hosts, used as a person would: by commands, files and signals."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from runner.domain.execution.run import RunState
from runner.operations.time.keep_ledger import Kept, keep_ledger
from runner.store.database import Store
from runner.store.execution import runs
from runner.store.time import slots
from runner.wiring import App
from tests.acceptance.processes import of_repository, until
from tests.lab import Lab

WELLKEPT = Path(sys.executable).with_name("wellkept")
WITH_US = ("setpriv", "--pdeathsig", "KILL")

SETTINGS = """\
format: 1
organisation: Example Ltd
database: {database}
state_dir: var
defaults: {{inventory: lab, owner: operations, timezone: UTC}}
inventories:
  lab: {{source: {inventory}, min_hosts: 2, max_drop: 20%}}
teams:
  operations: {{members: []}}
"""

# Works on a host for a while, alone: a second one at the same time fails, and leaves a word about it.
WORK = """\
- name: Work
  hosts: all
  gather_facts: false
  tasks:
    - name: Work alone on this host
      ansible.builtin.shell: |
        exec 9>/root/{mark}.lock
        flock -n 9 || {{ echo clash >> /root/{mark}; exit 9; }}
        echo begun >> /root/{mark}
        sleep {seconds}
        echo {word} >> /root/{mark}
"""

SCHEDULE = """\
schedule: {name}
title: Work on some servers
why: Shows that it works.
playbook: playbooks/{name}.yml
hosts: "{hosts}"
window: {window}
waves: [{{name: all}}]
concurrency: {concurrency}
"""


@dataclass
class Maintenance:
    """One maintenance repository; `mark` names the files that its playbooks leave on hosts."""

    root: Path
    lab: Lab
    mark: str
    database: str = "sqlite:///var/wellkept.db"
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def lay_out(self, inventory: str = "") -> None:
        """Settings over the lab's hosts, and no schedule yet."""
        text = SETTINGS.format(database=self.database, inventory=inventory or self.lab.inventory)
        (self.root / "wellkept.yml").write_text(text)
        for path in (*(self.root / "schedules").glob("*.yml"), *(self.root / "reports").glob("*.yml")):
            path.unlink()

    def schedule(
        self,
        name: str,
        hosts: str,
        *,
        opened: timedelta = timedelta(minutes=10),
        open_for: timedelta = timedelta(hours=2),
        concurrency: int = 10,
        **more: str,
    ) -> None:
        """A schedule whose window opens every day, today `opened` ago; a playbook of its own is written by `work`."""
        start = datetime.now(UTC) - opened
        window = f'{{day: daily, start: "{start:%H:%M}", duration: {int(open_for.total_seconds()) // 60}m}}'
        text = SCHEDULE.format(name=name, hosts=hosts, window=window, concurrency=concurrency)
        text += "".join(f"{key}: {value}\n" for key, value in more.items())
        (self.root / "schedules" / f"{name}.yml").write_text(text)

    def work(self, name: str, *, seconds: float, word: str = "done") -> None:
        """The playbook of a schedule: some seconds of work on each host."""
        text = WORK.format(mark=self.mark_of(name), seconds=seconds, word=word)
        (self.root / "playbooks" / f"{name}.yml").write_text(text)

    def mark_of(self, name: str) -> str:
        return f"{self.mark}-{name}"

    def told(self, name: str, host: str) -> list[str]:
        """What the playbook of a schedule wrote on a host, in order."""
        return self.lab.run(host, ["cat", f"/root/{self.mark_of(name)}"]).stdout.split()

    def run(self, *words: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Type a command and wait for its end; `code` None takes any exit code."""
        command = [str(WELLKEPT), "-C", str(self.root), *words]
        answer = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)
        assert code in {None, answer.returncode}, (
            f"{words} ended with {answer.returncode}:\n{answer.stdout}{answer.stderr}"
        )
        assert "Traceback" not in answer.stdout + answer.stderr
        return answer

    def json(self, *words: str, code: int = 0) -> Any:
        """What a command says with --format json."""
        return json.loads(self.run(*words, "--format", "json", code=code).stdout)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Type a command and go on; what it says is kept beside the repository."""
        number = len(self.started)
        with self.said_by(number).open("w") as said:
            command = [*WITH_US, str(WELLKEPT), "-C", str(self.root), *words]
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, text=True, start_new_session=True
            )
        self.started.append(process)
        return process

    def said_by(self, number: int = 0) -> Path:
        """Where the words of a started command are kept; they are counted from 0."""
        return self.root.with_name(f"{self.root.name}-{number}.log")

    def serve(self) -> subprocess.Popen[str]:
        """Start a daemon that looks every second."""
        return self.start("serve", "--every", "1")

    def stop(self, process: subprocess.Popen[str], *, seconds: float = 60) -> int:
        """Ask a process to stop, and wait for its end."""
        process.send_signal(signal.SIGTERM)
        return process.wait(seconds)

    def ledger_as_of(self, ago: timedelta) -> None:
        """Write the slots ahead as a daemon did that ran until then."""
        past = datetime.now(UTC) - ago
        app = App(self.root)
        app.clock = lambda: past
        keep_ledger(app.site.current(), site=app.site, kept=Kept())
        app.store.close()

    @cached_property
    def store(self) -> Store:
        """The record, to look into it."""
        url = self.database.replace("sqlite:///var", f"sqlite:///{self.root}/var")
        return Store.open(url, state_dir=self.root / "var")

    def runs(self, name: str) -> list[runs.Run]:
        """The runs of a schedule, newest first."""
        return self.store.read(lambda c: runs.recent(c, 100, name))

    def is_settled(self, name: str) -> bool:
        """Whether the latest run of a schedule has ended."""
        found = self.runs(name)
        return bool(found) and found[0].state is RunState.SETTLED

    def until_settled(self, name: str, *, seconds: float = 120) -> runs.Run:
        """The latest run of a schedule, once it has ended."""
        until(lambda: self.is_settled(name), seconds=seconds, what=f"the run of {name} is settled")
        return self.runs(name)[0]

    def until_told(self, name: str, host: str, word: str) -> None:
        """Wait until the playbook of a schedule has written a word on a host."""
        until(lambda: word in self.told(name, host), what=f"{name} wrote {word!r} on {host}")

    def slots(self, name: str) -> list[slots.Slot]:
        """The slots of a schedule that have opened."""
        now = datetime.now(UTC)
        return self.store.read(lambda c: slots.between(c, now - timedelta(days=2), now, [name]))

    def outcomes(self, name: str) -> dict[str, str]:
        """How each host ended in the latest run of a schedule, as the command line says it."""
        shown = self.json("runs", "show", str(self.runs(name)[0].number))["run"]
        return {host["host"]: host["outcome"] for host in shown["hosts"]}

    def record_is_whole(self) -> bool:
        """Whether every hash and every signature of the record is right."""
        return self.run("record", "verify", code=None).returncode == 0

    def left(self) -> dict[int, str]:
        """The processes that belong to this repository."""
        return of_repository(self.root)


New = Callable[[Path], Maintenance]  # makes one in a folder that is not there yet
