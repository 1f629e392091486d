from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from runner.store.database import Store, create
from tests.store.cluster import Cluster, running_cluster

BEGINNING = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TEMPLATE = "wellkept_template"
both_databases = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@dataclass(frozen=True)
class Place:
    """Where a database is, and the state directory that it is tied to."""

    url: str
    state_dir: Path

    def open(self, patience: float = 10.0) -> Store:
        return Store.open(self.url, state_dir=self.state_dir, patience=patience)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as running:
        yield running


_names = itertools.count()
_finished: list[str] = []


@pytest.fixture(scope="session")
def new_postgresql(cluster: Cluster) -> Callable[[str | None], str]:
    """Makes databases in the cluster, empty or like a template; gives their addresses."""
    engine = create_engine(cluster.url().replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")

    def make(template: str | None) -> str:
        name = TEMPLATE if template is None else f"wk_{next(_names)}"
        with engine.connect() as connection:
            for finished in _finished:
                connection.execute(text(f"DROP DATABASE {finished} WITH (FORCE)"))
            _finished.clear()
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template or 'template0'}"))
        return cluster.url(name)

    return make


@pytest.fixture(scope="session")
def postgresql_template(new_postgresql: Callable[[str | None], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database made once by the migrations; gives the state directory that belongs to it."""
    state_dir = tmp_path_factory.mktemp("postgresql-template")
    create(new_postgresql(None), state_dir=state_dir, now=BEGINNING)
    return state_dir


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database made once by the migrations; gives the state directory that it lies in."""
    state_dir = tmp_path_factory.mktemp("sqlite-template")
    create(f"sqlite:///{state_dir}/wellkept.db", state_dir=state_dir, now=BEGINNING)
    return state_dir


@pytest.fixture(params=both_databases)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database in which nothing was created yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/var/wellkept.db"
    make: Callable[[str | None], str] = request.getfixturevalue("new_postgresql")
    return make("template0")


@pytest.fixture
def sqlite_place(sqlite_template: Path, tmp_path: Path) -> Place:
    """A fresh SQLite database and its state directory."""
    state_dir = tmp_path / "var"
    shutil.copytree(sqlite_template, state_dir)
    return Place(f"sqlite:///{state_dir}/wellkept.db", state_dir)


@pytest.fixture
def postgresql_place(
    postgresql_template: Path, new_postgresql: Callable[[str | None], str], tmp_path: Path
) -> Iterator[Place]:
    """A fresh PostgreSQL database and its state directory."""
    state_dir = tmp_path / "var"
    shutil.copytree(postgresql_template, state_dir)
    url = new_postgresql(TEMPLATE)
    yield Place(url, state_dir)
    _finished.append(url.partition("@/")[2].partition("?")[0])


@pytest.fixture(params=both_databases)
def place(request: pytest.FixtureRequest) -> Place:
    """A fresh database, of either kind, and its state directory."""
    found: Place = request.getfixturevalue(f"{request.param}_place")
    return found


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    """An open store over a fresh database, of either kind."""
    opened = place.open()
    yield opened
    opened.close()
