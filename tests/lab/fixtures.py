"""pytest fixtures over the lab: `lab` for the whole session, `fresh_lab` with every host as new."""

from collections.abc import Iterator

import pytest

from tests.lab.lab import Lab


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """web-01, web-02, web-03 (labkernel), db-01 and db-02 (labbroken), all in the state that earlier tests left."""
    with Lab.up(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def fresh_lab(lab: Lab) -> Lab:
    """The same lab with every host booted from its template, healed, and both versions offered."""
    lab.publish("1.1")
    lab.reset()
    return lab
