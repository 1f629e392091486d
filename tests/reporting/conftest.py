from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.reporting.document import to_html, to_json
from runner.reporting.values import AuditReport
from runner.store.database import Store
from tests.reporting.a_month import a_copy, a_month, counted_ids, new_store, report_of


@pytest.fixture(scope="session")
def new_installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new")
    new_store(folder).close()
    return folder


@pytest.fixture
def store(new_installation: Path, tmp_path: Path) -> Iterator[Store]:
    """A database in which nothing has happened yet."""
    with a_copy(new_installation, tmp_path) as copied:
        yield copied


@pytest.fixture(scope="session")
def october(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The month, to be read only."""
    with counted_ids():
        store = new_store(tmp_path_factory.mktemp("october"))
        a_month(store)
    yield store
    store.close()


@pytest.fixture(scope="session")
def report(october: Store) -> AuditReport:
    return report_of(october)


@pytest.fixture(scope="session")
def page(report: AuditReport) -> str:
    return to_html(to_json(report)).decode()
