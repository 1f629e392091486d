"""How things are measured here: processes with everything below them, medians, and tables."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PYTHON = sys.executable
BIN = Path(sys.executable).parent
WELLKEPT = BIN / "wellkept"
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process took with the children that it waited for: seconds by the clock, seconds of processor time, and MiB of the largest of them."""

    wall: float
    cpu: float
    memory: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.wall + other.wall, self.cpu + other.cpu, max(self.memory, other.memory))


def environment(**more: str) -> dict[str, str]:
    """Our own environment, with the programs of this virtual environment on PATH."""
    return {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **more}


def spend(command: Sequence[str], *, environ: Mapping[str, str] | None = None, cwd: Path = ROOT) -> Spent:
    """Run a program to its end; SystemExit with its words when it fails."""
    began = time.monotonic()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environ, cwd=cwd
    )
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{said.decode(errors='replace')}")
    return Spent(time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def timed(work: Callable[[], object]) -> float:
    """How many seconds something takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def median(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def spread(values: Sequence[float], *, unit: str = "s", digits: int = 2) -> str:
    """Median, and from least to most."""
    return f"{median(values):.{digits}f} {unit} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def memory(pid: int | str = "self", name: str = "VmRSS") -> float:
    """Resident memory of a process in MiB: VmRSS now, VmHWM at its highest."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


def processor_seconds(pid: int) -> float:
    """Processor time that a process has taken so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def table(title: str, rows: Sequence[tuple[str, str]], *, note: str = "") -> None:
    """Print what was measured."""
    print(f"\n{title}")
    width = max(len(what) for what, _ in rows)
    for what, figure in rows:
        print(f"  {what:<{width}}  {figure}", flush=True)
    if note:
        print(f"  {note}", flush=True)
