from pathlib import Path

import pytest

from runner.config import not_yet
from runner.config.files import KINDS
from runner.config.reference import _SECTIONS, file_reference

PAGE = Path(__file__).parents[2] / "docs/reference/files.md"


def test_the_committed_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == file_reference(), (
        "run: python -m runner.config.reference > docs/reference/files.md"
    )


def test_every_key_of_every_model_is_described() -> None:
    undescribed = [
        f"{model.__name__}.{name}"
        for _, _, model in _SECTIONS
        for name, field in model.model_fields.items()
        if not field.description
    ]

    assert undescribed == []


@pytest.mark.parametrize("model", KINDS.values())
def test_every_kind_of_file_has_a_section(model: type) -> None:
    assert model in [section for _, _, section in _SECTIONS]


def test_what_is_not_built_yet_belongs_to_a_model_on_the_page() -> None:
    names = {model.__name__ for _, _, model in _SECTIONS}

    assert set(not_yet.KEYS) <= names
    assert {model for model, _ in not_yet.VALUES} <= names


def test_what_is_built_is_not_on_the_list_of_what_is_not() -> None:
    built = {model.__name__: set(model.model_fields) for _, _, model in _SECTIONS}

    assert [key for model, keys in not_yet.KEYS.items() for key in keys if key in built[model]] == []
