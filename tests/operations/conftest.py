from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.operations.a_site import Bench, a_bench

Lay = Callable[..., Bench]


@pytest.fixture
def lay(tmp_path: Path) -> Iterator[Lay]:
    """Lays out a bench with other files than the usual ones; it is closed afterwards."""
    made: list[Bench] = []

    def lay_out(**changes: str) -> Bench:
        made.append(a_bench(tmp_path / f"site-{len(made)}", **changes))
        return made[-1]

    yield lay_out
    for bench in made:
        bench.site.store.close()


@pytest.fixture
def bench(lay: Lay) -> Bench:
    """A site with the usual files and a fresh database."""
    return lay()
