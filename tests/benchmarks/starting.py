"""How long the command line takes to answer at all."""

from __future__ import annotations

from tests.benchmarks.measure import PYTHON, WELLKEPT, median, spend, spread, table

TIMES = 10
PEERS = {
    "wellkept --help": [str(WELLKEPT), "--help"],
    "python -c 'import click'": [PYTHON, "-c", "import click"],
    "python -c 'pass'": [PYTHON, "-c", "pass"],
}


def measure(*, quick: bool) -> None:  # the same either way: it is short
    """(a) Time to the help text, beside what an interpreter and an import of click take."""
    for command in PEERS.values():
        spend(command)
    taken: dict[str, list[float]] = {name: [] for name in PEERS}
    for _ in range(TIMES):
        for name, command in PEERS.items():
            taken[name].append(spend(command).wall)
    ratio = median(taken["wellkept --help"]) / median(taken["python -c 'import click'"])
    rows = [(name, spread(values, digits=3)) for name, values in taken.items()]
    table("(a) Starting", [*rows, ("ratio to import click", f"{ratio:.2f}")])
