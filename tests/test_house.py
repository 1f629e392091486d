"""The house's own rules: floors and doors, names, and how long things may be."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

from tests.house import ROOT, RUNNER, Source, body_length, length, lines_of_code, sources

SOURCES = list(sources())
FUNCTIONS = [(source, node) for source in SOURCES for node in source.functions()]
BANNED_IN_CLASSES = re.compile(r"(Manager|Handler|Helper|Processor|Engine|Service)(?![a-z])|(Utils?|Misc)$")
BANNED_NAMES = {
    *("util", "utils", "misc", "common", "base", "data", "info", "service", "engine", "processor"),
    *("helper", "helpers", "manager", "handler", "handlers"),
}
ARE_IDEAS_OF_THE_BUSINESS = {"Service"}  # what hosts are for, in the words of those who use it


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """In a process of its own: import-linter sets up logging for the whole process that it runs in."""
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([str(program), "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


def test_the_floors_and_doors_are_kept() -> None:
    linted = lint_imports(ROOT)

    assert linted.returncode == 0, linted.stdout


def test_the_watch_over_the_floors_sees_a_breach(tmp_path: Path) -> None:
    """A package of two modules, of which the lower imports the higher."""
    (tmp_path / "breached").mkdir()
    (tmp_path / "breached" / "__init__.py").touch()
    (tmp_path / "breached" / "high.py").touch()
    (tmp_path / "breached" / "low.py").write_text("import breached.high\n")
    rules = "[importlinter]\nroot_package = breached\n[importlinter:contract:1]\nname = floors\ntype = layers\n"
    (tmp_path / ".importlinter").write_text(rules + "layers =\n    high\n    low\ncontainers = breached\n")

    linted = lint_imports(tmp_path)

    assert linted.returncode == 1
    assert "breached.low -> breached.high" in linted.stdout


@pytest.mark.parametrize("name", ["schedule", "calendar", "logging"])
def test_no_module_shadows_one_that_others_import(name: str) -> None:
    assert not (RUNNER / f"{name}.py").exists()
    assert not (RUNNER / name).exists()


def test_no_function_is_longer_than_eighty_lines_and_few_are_longer_than_fifty() -> None:
    lengths = {f"{source.name}:{node.name}": length(node) for source, node in FUNCTIONS}

    long = {name: lines for name, lines in lengths.items() if lines > 50}

    assert max(lengths.values()) <= 80, long
    assert len(long) < 0.04 * len(lengths), long


def test_most_functions_are_short() -> None:
    assert median(length(node) for _, node in FUNCTIONS) <= 9


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    # The leash is one stand-alone file on purpose: it runs by itself, with the standard library only.
    long = {source.name: source.lines for source in SOURCES if source.lines > 400}

    assert set(long) <= {"runner/adapters/ansible/leash.py"}, long


def test_classes_are_named_for_what_they_are() -> None:
    named = [(source.name, node.name) for source in SOURCES for node in source.classes()]

    bad = [found for found in named if BANNED_IN_CLASSES.search(found[1]) and found[1] not in ARE_IDEAS_OF_THE_BUSINESS]

    assert bad == []


def test_modules_and_functions_are_named_for_what_they_are_and_do() -> None:
    modules = [source.name for source in SOURCES if source.path.stem in BANNED_NAMES]
    folders = [str(path) for path in RUNNER.rglob("*") if path.is_dir() and path.name in BANNED_NAMES]
    functions = [f"{source.name}:{node.name}" for source, node in FUNCTIONS if node.name.strip("_") in BANNED_NAMES]

    assert modules + folders + functions == []


def test_the_wiring_is_short() -> None:
    assert lines_of_code((RUNNER / "wiring.py").read_text()) <= 100


def is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(
        isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr in {"command", "group"}
        for each in node.decorator_list
    )


def test_a_command_parses_calls_prints_and_exits_in_few_lines() -> None:
    commands = [
        (f"{source.name}:{node.name}", body_length(node))
        for source, node in FUNCTIONS
        if source.name.startswith("runner/cli/") and is_command(node)
    ]

    assert len(commands) > 20
    assert [found for found in commands if found[1] > 15] == []


def test_nothing_is_printed_past_the_one_way_out() -> None:
    calls = [
        f"{source.name}:{node.lineno}"
        for source in SOURCES
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]

    assert calls == []


def names_now(source: Source) -> list[int]:
    """Where the present is asked for: datetime.now(), date.today(), time.time()."""
    return [
        node.lineno
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"now", "today", "utcnow"}
    ]


def test_below_the_doors_nobody_asks_what_time_it_is() -> None:
    pure = [source for source in SOURCES if source.name.split("/")[1] in {"domain", "operations", "store", "reporting"}]

    assert len(pure) > 50
    assert {source.name: lines for source in pure if (lines := names_now(source))} == {}


def test_the_domain_reads_no_environment() -> None:
    reading = [
        source.name
        for source in SOURCES
        if source.name.split("/")[1] in {"domain", "operations", "reporting", "errors.py"}
        and "os.environ" in source.text
    ]

    assert reading == []


@pytest.mark.parametrize(
    ("text", "lines"),
    [("", 0), ("# a comment\n\n", 0), ('"""A docstring\nof two lines."""\nx = 1\n', 1), ("x = [\n    1,\n]\n", 3)],
)
def test_lines_of_code_are_counted_without_comments_and_docstrings(text: str, lines: int) -> None:
    assert lines_of_code(text) == lines
