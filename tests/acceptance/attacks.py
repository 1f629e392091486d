"""What can be done to a maintenance run from outside: kills, stops, crashes of hosts, and a database that goes away.

Each attack is drawn from the seed and its own number, so that a series that was broken off goes on where it was.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.acceptance.maintenance import Maintenance
from tests.acceptance.processes import is_alive

KINDS = {  # by which word each kind of process is known
    "daemon": " serve ",
    "detached executor": " execute-run ",
    "watching command": " run work",
    "leash": "leash.py",
    "executor": "runner.adapters.ansible.executor",
    "ansible": "bin/ansible-playbook",
    "ssh": "ssh: ",
}
SHORT_STOP, LONG_STOP = (2.0, 20.0), (185.0, 200.0)  # seconds; the long one outlives the lease
AWAY = 120.0  # seconds without a database
BEFORE_IT_IS_DEAD = 0.3


@dataclass
class Attacked:
    """A maintenance repository under attack; `database_away` stops its database, waits for that many seconds, and starts it again."""

    site: Maintenance
    hosts: Sequence[str]
    database_away: Callable[[float], None] | None = None
    seen: dict[str, int] = field(default_factory=dict)

    def attack(self, number: int, seed: int) -> str:
        """Wait a little, then do one thing; says what."""
        chance = random.Random(f"{seed}:{number}")
        time.sleep(chance.uniform(0.2, 8))
        names, weights = zip(*((name, weight) for name, weight in WEIGHTS.items() if self.can(name)), strict=True)
        name = chance.choices(names, weights)[0]
        done = ATTACKS[name](self, chance)
        if done:
            self.seen[name] = self.seen.get(name, 0) + 1
        return f"{name}: {done}" if done else ""

    def can(self, name: str) -> bool:
        """Whether this attack is possible here."""
        return name != "database away" or self.database_away is not None

    def there(self) -> dict[str, list[int]]:
        """The processes that are there, by kind."""
        left = self.site.left()
        kinds = {kind: sorted(pid for pid, line in left.items() if word in f"{line} ") for kind, word in KINDS.items()}
        return {kind: pids for kind, pids in kinds.items() if pids}

    def draw(self, chance: random.Random, number: int) -> list[tuple[str, int]]:
        """Some processes, each of another kind."""
        there = self.there()
        kinds = chance.sample(sorted(there), min(number, len(there)))
        return [(kind, chance.choice(there[kind])) for kind in kinds]


def kill(attacked: Attacked, chance: random.Random, *, number: int = 1) -> str:
    """Kill processes of different kinds at the same moment."""
    drawn = attacked.draw(chance, number)
    for _, pid in drawn:
        send(pid, signal.SIGKILL)
    time.sleep(BEFORE_IT_IS_DEAD)
    return " and ".join(kind for kind, _ in drawn)


def kill_two(attacked: Attacked, chance: random.Random) -> str:
    """Kill two at once."""
    return kill(attacked, chance, number=2)


def stop(attacked: Attacked, chance: random.Random, *, span: tuple[float, float] = SHORT_STOP) -> str:
    """Stop a process, and let it go on after a while."""
    drawn = attacked.draw(chance, 1)
    seconds = chance.uniform(*span)
    for _, pid in drawn:
        send(pid, signal.SIGSTOP)
        over = time.monotonic() + seconds
        while time.monotonic() < over and is_alive(pid):
            time.sleep(0.2)
        send(pid, signal.SIGCONT)
    return " and ".join(f"{kind} for {seconds:.0f} s" for kind, _ in drawn)


def stop_for_long(attacked: Attacked, chance: random.Random) -> str:
    """Stop a process for longer than its lease lasts."""
    return stop(attacked, chance, span=LONG_STOP)


def kill_session(attacked: Attacked, chance: random.Random) -> str:
    """Kill the SSH server's sessions on a host, in the middle of whatever they do."""
    host = chance.choice(list(attacked.hosts))
    ended = attacked.site.lab.run(host, ["pkill", "-KILL", "-f", "^sshd(-session)?: .*(@|priv)"])
    return host if ended.returncode == 0 else ""


def crash_host(attacked: Attacked, chance: random.Random) -> str:
    """Cut the power of a host; it boots again."""
    host = chance.choice(list(attacked.hosts))
    attacked.site.lab.break_host(host, "crash")
    attacked.site.lab.wait_up(host)
    return host


def database_away(attacked: Attacked, chance: random.Random) -> str:
    """Take the database away for two minutes."""
    assert attacked.database_away is not None
    attacked.database_away(AWAY)
    return f"{AWAY:.0f} s"


def send(pid: int, what: signal.Signals) -> None:
    """Signal a process that may be gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, what)


Attack = Callable[[Attacked, random.Random], str]
ATTACKS: dict[str, Attack] = {
    "killed": kill,
    "killed two": kill_two,
    "stopped": stop,
    "stopped for long": stop_for_long,
    "sessions killed": kill_session,
    "host crashed": crash_host,
    "database away": database_away,
}
WEIGHTS = {
    "killed": 48,
    "killed two": 20,
    "stopped": 16,
    "stopped for long": 1,
    "sessions killed": 8,
    "host crashed": 4,
    "database away": 2,
}
