from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect

from runner.store.connect import open_engine, parse
from runner.store.database import create, is_current, upgrade
from runner.store.migrate import settings
from runner.store.revisions import HEAD, REVISIONS
from runner.store.schema import metadata
from tests.store.conftest import BEGINNING


def index_in_words(index: Mapping[str, Any]) -> str:
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return str({**index, "dialect_options": options})


def shape_of(engine: Engine) -> dict[str, object]:
    """Everything that a database says of its tables but for Alembic's own."""
    seen = inspect(engine)
    return {
        table: {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"], column["default"])
                for column in seen.get_columns(table)
            ],
            "primary key": seen.get_pk_constraint(table),
            "unique": sorted(map(str, seen.get_unique_constraints(table))),
            "foreign": sorted(map(str, seen.get_foreign_keys(table))),
            "checks": sorted(map(str, seen.get_check_constraints(table))),
            "indexes": sorted(index_in_words(index) for index in seen.get_indexes(table)),
        }
        for table in sorted(seen.get_table_names())
        if table != "alembic_version"
    }


def test_a_migrated_database_has_the_shape_that_the_schema_says(tmp_path: Path) -> None:
    migrated = f"sqlite:///{tmp_path}/migrated.db"
    create(migrated, state_dir=tmp_path / "var", now=BEGINNING)
    drawn = create_engine(f"sqlite:///{tmp_path}/drawn.db")

    metadata.create_all(drawn)

    assert shape_of(create_engine(migrated)) == shape_of(drawn)


@pytest.mark.postgresql
def test_a_migrated_postgresql_database_has_the_shape_that_the_schema_says(new_postgresql, tmp_path: Path) -> None:
    migrated, drawn = new_postgresql("template0"), new_postgresql("template0")
    create(migrated, state_dir=tmp_path / "var", now=BEGINNING)
    engines = [open_engine(parse(url), patience=5) for url in (migrated, drawn)]

    metadata.create_all(engines[1])

    shapes = [shape_of(engine) for engine in engines]
    assert shapes[0] == shapes[1]
    assert "slots" in shapes[0]


def test_the_list_of_revisions_is_the_list_of_migrations_oldest_first() -> None:
    scripts = ScriptDirectory.from_config(settings())

    assert [script.revision for script in scripts.walk_revisions()][::-1] == list(REVISIONS)


def test_a_database_goes_up_from_empty_and_then_is_current(empty_url: str, tmp_path: Path) -> None:
    assert not is_current(empty_url)

    first = upgrade(empty_url, state_dir=tmp_path / "var")
    second = upgrade(empty_url, state_dir=tmp_path / "var")

    assert first == ("", HEAD)
    assert second == (HEAD, HEAD)
    assert is_current(empty_url)
