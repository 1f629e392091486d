"""Whatever stands in a file, reading ends with definitions or with problems, never with anything else."""

import string
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.config import check, read
from runner.config.reference import _SECTIONS
from runner.config.tree import load
from runner.config.wording import keys_of
from runner.errors import FilesInvalid

TODAY = date(2026, 1, 15)
FILES = [
    "wellkept.yml",
    "schedules/windows.yml",
    "schedules/patch-web.yml",
    "schedules/health.yml",
    "playbooks/patch.yml",
]
KEYS = st.sampled_from(
    sorted({key for _, _, model in _SECTIONS for key in keys_of(model)} | {"rrule", "ics", "<<", "on", "5"})
)
TEXTS = [
    "22:00",
    "4h",
    "1d",
    "daily",
    "feb",
    "Europe/Berlin",
    "CET",
    "tcp",
    "ssh",
    "http",
    "50%",
    "(x",
    "web",
    "production",
    "prod-patch",
    "always",
    "12-20..01-06",
    "2026-01-01T00:00Z",
    "${X}",
    "../..",
    "health:x",
    "playbooks/patch.yml",
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.text(max_size=20),
    st.sampled_from([*TEXTS, "second tuesday", "day 31", "> 5", "\0"]),
)
STRUCTURES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=8), max_leaves=40
)
NOTHING = {"schedules/health.yml": "health: {}\n"}
SLOWLY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)


def reads_or_tells(root: Path) -> None:
    definitions, problems = check(root, environ={}, today=TODAY)

    assert (definitions is None) == any(problem.severity == "error" for problem in problems)
    assert problems == sorted(problems)
    assert all(problem.message and "Traceback" not in problem.message for problem in problems)
    if definitions is None:
        with pytest.raises(FilesInvalid):
            read(root, environ={}, today=TODAY)


@SLOWLY
@given(file=st.sampled_from(FILES), content=st.binary(max_size=300))
def test_random_bytes_are_read_or_told(
    repository: Callable[[Mapping[str, bytes]], Path], file: str, content: bytes
) -> None:
    root = repository({**NOTHING, file: content or b"\n"})

    reads_or_tells(root)


@SLOWLY
@given(file=st.sampled_from(FILES), structure=STRUCTURES)
def test_random_structures_are_read_or_told(
    repository: Callable[[Mapping[str, str]], Path], file: str, structure: object
) -> None:
    root = repository({**NOTHING, file: yaml.safe_dump(structure, allow_unicode=True)})

    reads_or_tells(root)


@SLOWLY
@given(file=st.sampled_from(FILES), key=KEYS, structure=STRUCTURES)
def test_random_values_of_known_keys_are_read_or_told(
    repository: Callable[[Mapping[str, str]], Path], file: str, key: str, structure: object
) -> None:
    known = "health" if "health" in file else "windows"
    root = repository(
        {**NOTHING, file: yaml.safe_dump({key: structure, known: {"x": structure}, "freezes": [structure]})}
    )

    reads_or_tells(root)


@SLOWLY
@given(st.text(alphabet=string.printable + "äß€\u2028\ufeff", max_size=200))
def test_random_text_never_breaks_the_reader_of_yaml(text: str) -> None:
    for tolerant in (False, True):
        source, problems = load(text.encode(), "x.yml", tolerant=tolerant)

        assert source is not None or problems
