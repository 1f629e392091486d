"""The demo: five real SSH hosts, a window that is open now, one host that fails for a real reason, a ticket, a report, and the mending.

Started by `make demo`. Everything it makes lies below var/demo; the hosts end with it, whatever happens to it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
HERE = ROOT / "var" / "demo"
REPOSITORY = HERE / "repository"
REPORTS = ROOT / "reports" / "output"
FAILING = "db-02"

SETTINGS = """\
format: 1
organisation: Demo Ltd
database: sqlite:///var/wellkept.db
state_dir: var
defaults: {{inventory: lab, owner: operations, timezone: UTC}}
inventories:
  lab: {{source: {inventory}, min_hosts: 3, max_drop: 20%}}
teams:
  operations: {{members: []}}
services:
  web-shop: {{title: the web shop, hosts: web, impact: high, owner: operations}}
  database: {{title: the database, hosts: db, impact: high, owner: operations}}
"""

SCHEDULE = """\
schedule: patch-demo
title: Security and other updates of the demo servers
why: Closes known holes before somebody uses them.
playbook: playbooks/patch.yml
hosts: "web:db"
window: {{day: daily, start: "{start}", duration: 2h, cutoff: 15m, timezone: UTC}}
effect: reboot
waves: [{{name: canary, size: 1}}, {{name: rest}}]
failure_budget: 20%
before: [playbooks/health/readiness.yml]
after: [playbooks/health/after-patch.yml]
extra_vars: {{patch_scope: all, reboot: if_needed, free_space: {{/: 20}}}}
"""


def main() -> int:
    """Run the demo; 0 when everything went as it should."""
    began = time.monotonic()
    os.environ["PATH"] = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir(parents=True, mode=0o700)
    with Lab() as lab:
        lay_out(lab)
        say("What would happen, and does anything hold it?")
        wellkept("plan", "patch-demo")
        say("Its window is open now, so it runs: first one server as a canary, then the rest.")
        expect(wellkept("run", "patch-demo", check=False), 1, "one server fails for a real reason")
        say("One ticket was opened, in plain words.")
        wellkept("tickets", "show", "1")
        say(f"A person mends {FAILING}: the file that its update stumbled over is moved away, and the update finishes.")
        lab.run(FAILING, "mv", "/etc/labbroken/legacy-data", "/root/")
        lab.run(FAILING, "dpkg", "--configure", "-a")
        say(
            f"The same schedule once more, by hand and only for {FAILING}: the proof that it is mended closes the ticket."
        )
        expect(wellkept("run", "patch-demo", "--limit", FAILING, check=False), 0, "everything is well")
        wellkept("tickets", "show", "1")
        say("The audit report of today, and the proof that nobody touched the record.")
        today = datetime.now(UTC).date()
        wellkept("report", "auditor", "--period", f"{today}..{today}", "--output", str(REPORTS))
        wellkept("record", "verify")
    say(
        f"Done in {time.monotonic() - began:.0f} s; nothing is left running. The maintenance repository is {REPOSITORY}"
    )
    return 0


class Lab:
    """The five hosts, up for as long as the demo lives."""

    folder = HERE / "lab"

    def __enter__(self) -> Lab:
        say("Starting five real SSH hosts on this machine …")
        self._lab("up", str(self.folder), "--owner", str(os.getpid()))
        return self

    def __exit__(self, *_: object) -> None:
        self._lab("down", str(self.folder))

    def run(self, host: str, *argv: str) -> None:
        """Run a command on a host, as a person would over ssh."""
        print(f"  {host}# {' '.join(argv)}")
        self._lab("run", str(self.folder), host, "--", *argv)

    def _lab(self, *words: str) -> None:
        done = subprocess.run([sys.executable, "-m", "tests.lab", *words], cwd=ROOT, check=False)
        if done.returncode:
            raise SystemExit(done.returncode)


def lay_out(lab: Lab) -> None:
    """A maintenance repository for the lab, from the starter's playbooks."""
    wellkept_quiet("init", str(REPOSITORY), "--organisation", "Demo Ltd")
    for unused in (REPOSITORY / "schedules").glob("*.yml"):
        unused.unlink()
    for unused in (REPOSITORY / "reports").glob("*.yml"):
        unused.unlink()
    (REPOSITORY / "ansible.cfg").write_text("[ssh_connection]\npipelining = true\n", encoding="utf-8")
    inventory = lab.folder / "inventory.yml"
    (REPOSITORY / "wellkept.yml").write_text(SETTINGS.format(inventory=inventory), encoding="utf-8")
    opened = datetime.now(UTC) - timedelta(minutes=10)
    (REPOSITORY / "schedules" / "patch-demo.yml").write_text(SCHEDULE.format(start=f"{opened:%H:%M}"), encoding="utf-8")
    wellkept("validate")


def wellkept(*words: str, check: bool = True) -> int:
    """Type a command, and show it."""
    print(f"\n$ wellkept {' '.join(words)}", flush=True)
    done = subprocess.run([str(BIN / "wellkept"), "-C", str(REPOSITORY), *words], check=False)
    if check and done.returncode:
        raise SystemExit(f"The demo stopped: that command ended with {done.returncode}.")
    return done.returncode


def wellkept_quiet(*words: str) -> None:
    """Type a command whose answer is of no interest here."""
    subprocess.run([str(BIN / "wellkept"), *words], check=True, stdout=subprocess.DEVNULL)


def expect(code: int, wanted: int, why: str) -> None:
    """The demo is a test as well: an end that it did not foresee is a failure."""
    if code != wanted:
        raise SystemExit(f"The demo stopped: exit code {wanted} was expected ({why}), and it was {code}.")


def say(text: str) -> None:
    """A headline."""
    print(f"\n=== {text}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
