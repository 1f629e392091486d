"""The same calls of Ansible by plain ansible-playbook, with ARA's recording, by bare ansible-runner, and by Wellkept with every event in its record."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from runner.adapters.ansible import AnsibleExecutor
from runner.operations.execution.start_run import Wish, start_by_hand
from runner.store.execution import pieces
from runner.wiring import App
from tests.benchmarks.measure import BIN, PYTHON, ROOT, WELLKEPT, Spent, environment, median, spend, spread, table
from tests.lab import Lab, Wishes
from tests.lab.plan import default_names

VARIABLES = {"patch_scope": "all", "reboot": "never"}
SETTINGS = """\
format: 1
organisation: Bench Ltd
database: sqlite:///var/wellkept.db
state_dir: var
defaults: {{inventory: lab, owner: operations, timezone: UTC}}
inventories:
  lab: {{source: {inventory}}}
teams:
  operations: {{members: []}}
"""
SCHEDULE = """\
schedule: bench
title: Updates of all servers
why: Measures what the record costs.
playbook: playbooks/patch.yml
hosts: all
window: {{day: daily, start: "{start}", duration: 4h}}
waves: [{{name: all}}]
concurrency: {hosts}
before: [playbooks/health/readiness.yml]
after: [playbooks/health/after-patch.yml]
extra_vars: {{patch_scope: all, reboot: never}}
"""
BARE_RUNNER = "import json, sys, ansible_runner; r = ansible_runner.run(**json.loads(sys.argv[1])); sys.exit(r.rc)"


@dataclass(frozen=True, slots=True)
class Bench:
    """A lab, and a maintenance repository over it."""

    lab: Lab
    root: Path

    @property
    def playbooks(self) -> list[Path]:
        """What a run calls Ansible with, in order: one call each, for all hosts."""
        own = self.root / "playbooks"
        look = AnsibleExecutor.look_playbook
        return [look, own / "health/readiness.yml", own / "patch.yml", look, own / "health/after-patch.yml"]


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one way: all calls together, and each call's own seconds."""

    whole: Spent
    calls: tuple[float, ...]


@contextmanager
def made(hosts: int) -> Iterator[Bench]:
    """Some hosts, up to date already, so that every round does the same."""
    folder = Path(tempfile.mkdtemp(prefix="wk-bench-"))
    try:
        with Lab.up(folder / "lab", Wishes(names=default_names(hosts), extras={})) as lab:
            spend([str(WELLKEPT), "init", str(folder / "repository")])
            bench = Bench(lab, folder / "repository")
            for path in (*(bench.root / "schedules").glob("*.yml"), *(bench.root / "reports").glob("*.yml")):
                path.unlink()
            (bench.root / "wellkept.yml").write_text(SETTINGS.format(inventory=lab.inventory))
            opened = datetime.now(UTC) - timedelta(minutes=5)
            (bench.root / "schedules/bench.yml").write_text(SCHEDULE.format(start=f"{opened:%H:%M}", hosts=hosts))
            plain(bench)
            yield bench
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def sockets() -> Iterator[str]:
    """A folder for ssh's sockets, so that no round finds the connections of another."""
    folder = Path(tempfile.mkdtemp(prefix="wk-cp-", dir="/tmp"))
    try:
        yield str(folder)
    finally:
        for socket in folder.iterdir():
            with contextlib.suppress(OSError):
                subprocess.run(["ssh", "-O", "exit", "-S", str(socket), "host"], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def one_by_one(bench: Bench, command: Callable[[Path], list[str]], **more: str) -> Round:
    """Call Ansible for each playbook in turn."""
    with sockets() as folder:
        environ = environment(ANSIBLE_SSH_CONTROL_PATH_DIR=folder, ANSIBLE_NOCOLOR="1", **more)
        spent = [spend(command(playbook), environ=environ, cwd=bench.root) for playbook in bench.playbooks]
    return Round(sum(spent, Spent(0, 0)), tuple(each.wall for each in spent))


def plain(bench: Bench, program: Path = BIN / "ansible-playbook", **environ: str) -> Round:
    """By ansible-playbook itself."""
    more = ["--forks", str(len(bench.lab.hosts)), "--extra-vars", json.dumps(VARIABLES)]
    limit = ["--limit", ",".join(bench.lab.hosts)]
    own = [str(program), "-i", str(bench.lab.inventory), *limit, *more]
    return one_by_one(bench, lambda playbook: [*own, str(playbook)], **environ)


def ara(bench: Bench) -> Round:
    """By ansible-playbook with the callback of ARA, which keeps its record in a SQLite file of its own."""
    python = ara_python()
    plugins = subprocess.run(
        [str(python), "-m", "ara.setup.callback_plugins"], check=True, capture_output=True, text=True
    )
    environ = {"ANSIBLE_CALLBACK_PLUGINS": plugins.stdout.strip(), "ARA_BASE_DIR": str(bench.root.parent / "ara")}
    return plain(bench, python.with_name("ansible-playbook"), **environ)


def ara_python() -> Path:
    """A Python with ARA and the same ansible-core as ours, in a virtual environment that is made once."""
    python = ROOT / ".venv-ara" / "bin" / "python"
    if not python.exists():
        spend([PYTHON, "-m", "venv", str(python.parents[1])])
        core = f"ansible-core=={version('ansible-core')}"
        spend([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", core, "ara[server]"])
    return python


def bare_runner(bench: Bench) -> Round:
    """By ansible_runner.run(), in a process of its own for each call."""

    def command(playbook: Path) -> list[str]:
        wishes = {
            "private_data_dir": tempfile.mkdtemp(dir=bench.root.parent),
            "playbook": str(playbook),
            "inventory": str(bench.lab.inventory),
            "limit": ",".join(bench.lab.hosts),
            "forks": len(bench.lab.hosts),
            "extravars": VARIABLES,
            "quiet": True,
        }
        return [PYTHON, "-c", BARE_RUNNER, json.dumps(wishes)]

    return one_by_one(bench, command)


def wellkept(bench: Bench) -> Round:
    """By Wellkept: claimed, behind the leash, every event in the record, settled, signed."""
    os.environ["PATH"] = environment()["PATH"]
    app = App(bench.root)
    run = start_by_hand("bench", Wish(), site=app.site)
    spent = spend([str(WELLKEPT), "-C", str(bench.root), "execute-run", run], environ=environment())
    done = app.store.read(lambda c: pieces.of_run(c, run))
    app.store.close()
    calls = [(each.ended_at - each.started_at).total_seconds() for each in done if each.started_at and each.ended_at]
    if len(calls) != len(bench.playbooks):
        raise SystemExit(f"The run had {len(calls)} pieces, and {len(bench.playbooks)} were expected.")
    return Round(spent, tuple(calls))


WAYS = {"ansible-playbook": plain, "ARA": ara, "bare ansible-runner": bare_runner, "wellkept": wellkept}


def measure(*, quick: bool) -> None:
    """(b) Rounds of each way in turn, so that whatever else this machine does meets all of them."""
    rounds: dict[str, list[Round]] = {name: [] for name in WAYS}
    hosts = 5 if quick else 20
    with made(hosts) as bench:
        for _ in range(1 if quick else 2):
            for name, way in WAYS.items():
                rounds[name].append(way(bench))
    rows = []
    for name, found in rounds.items():
        rows += [
            (f"{name}: calls of Ansible", spread([sum(each.calls) for each in found])),
            (f"{name}: the whole", spread([each.whole.wall for each in found])),
            (f"{name}: processor", spread([each.whole.cpu for each in found])),
            (
                f"{name}: memory of its largest process",
                spread([each.whole.memory for each in found], unit="MiB", digits=0),
            ),
        ]
    rows += [row for peer in ("ansible-playbook", "bare ansible-runner", "ARA") for row in ratios(rounds, peer)]
    note = f"Five calls for {hosts} hosts that are up to date: look, readiness, patch, look, after-patch."
    table("(b) The same calls of Ansible", rows, note=note)


def ratios(rounds: dict[str, list[Round]], peer: str) -> list[tuple[str, str]]:
    """Wellkept's medians in proportion to those of another way."""
    own, other = rounds["wellkept"], rounds[peer]
    figures = {
        "calls of Ansible": [median([sum(each.calls) for each in found]) for found in (own, other)],
        "the whole": [median([each.whole.wall for each in found]) for found in (own, other)],
        "processor": [median([each.whole.cpu for each in found]) for found in (own, other)],
        "memory": [median([each.whole.memory for each in found]) for found in (own, other)],
    }
    return [(f"wellkept / {peer}: {what}", f"{mine / theirs:.2f}") for what, (mine, theirs) in figures.items()]
