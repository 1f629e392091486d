"""The documentation says what is true: links lead somewhere, commands and options exist, whole files are valid."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path

import pytest
import yaml

from runner.adapters.calendars import Calendars
from runner.config import check
from tests.docs.pages import (
    ROOT,
    Page,
    broken_links,
    command_lines,
    make_targets,
    named_paths,
    read,
    wrong_command,
)

GENERATED = [read(ROOT / "docs/reference" / name) for name in ("commands.md", "files.md")]
WRITTEN = [
    *(read(ROOT / name) for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *(read(path) for path in sorted((ROOT / "docs").rglob("*.md")) if "reference" not in path.parts),
]
WHOLE_FILE = re.compile(r"# (?P<path>wellkept\.yml|(?:schedules|reports)/[\w-]+\.yml)\n")
WHOLE_FILES = [
    pytest.param(found["path"], text, id=f"{page.name}-{found['path']}")
    for page in WRITTEN
    for language, text in page.fences
    if language == "yaml" and (found := WHOLE_FILE.match(text))
]
LONGEST_README = 150  # lines


def named(pages: list[Page]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", pages, ids=lambda page: page.name)


@named([*WRITTEN, *GENERATED])
def test_every_relative_link_leads_somewhere(page: Page) -> None:
    assert broken_links(page) == []


@named(WRITTEN)
def test_every_command_line_names_a_command_and_options_that_exist(page: Page) -> None:
    wrong = {line: said for line, complete in command_lines(page) if (said := wrong_command(line, complete=complete))}

    assert wrong == {}


@named(WRITTEN)
def test_every_make_target_exists(page: Page) -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    assert make_targets(page) - known == set()


@named([page for page in WRITTEN if page.name == "CONTRIBUTING.md"])
def test_every_file_that_a_contributor_is_sent_to_exists(page: Page) -> None:
    assert named_paths(page)
    assert [
        path for path in named_paths(page) if not (ROOT / path).exists() and path != "runner/adapters/tickets/"
    ] == []


@named(WRITTEN)
def test_every_piece_of_yaml_can_be_read(page: Page) -> None:
    for language, text in page.fences:
        if language == "yaml":
            assert yaml.safe_load(text), text


@pytest.mark.parametrize(("path", "text"), WHOLE_FILES)
def test_every_whole_file_is_valid(path: str, text: str, tmp_path: Path) -> None:
    root = a_repository(tmp_path)
    (root / path).write_text(text, encoding="utf-8")

    _, problems = check(root, environ={}, today=date(2026, 1, 15), sources=Calendars())

    assert [str(problem) for problem in problems if problem.severity == "error"] == []


def a_repository(folder: Path) -> Path:
    """The starter's files without its schedules and reports, but with its windows."""
    for name in ("inventories", "playbooks"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("schedules", "reports"):
        (folder / name).mkdir()
    shutil.copy(ROOT / "schedules/windows.yml", folder / "schedules")
    shutil.copy(ROOT / "wellkept.yml", folder)
    return folder


def test_the_readme_begins_with_its_two_commands_and_is_short() -> None:
    readme = read(ROOT / "README.md")

    first_block = re.search(r"^(?:    .+\n)+", readme.text, re.MULTILINE)

    assert first_block is not None
    assert first_block[0].split("\n") == ["    make demo", "    make test", ""]
    assert len(readme.text.splitlines()) < LONGEST_README


def test_the_picture_is_sound_and_has_words_for_those_who_cannot_see_it() -> None:
    picture = ET.parse(ROOT / "docs/picture.svg").getroot()

    names = {child.tag.rpartition("}")[2] for child in picture}

    assert {"title", "desc"} <= names
    assert "script" not in names


def test_the_index_leads_to_every_page() -> None:
    index = read(ROOT / "docs/README.md")

    told = {(index.path.parent / path).resolve() for path in re.findall(r"\]\(([^)#]+)\)", index.text)}

    assert {page.path for page in WRITTEN if page.path.is_relative_to(ROOT / "docs")} - told == {index.path}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("runn patch-web", "no command"),
        ("run patch-web --forc", "--forc"),
        ("runs delete 12", "delete"),
        ("run", "NAME"),
        ("status now", "unexpected"),
        ("-C", "-C"),
    ],
)
def test_a_wrong_command_line_is_found(line: str, said: str) -> None:
    assert said in wrong_command(line, complete=True)


@pytest.mark.parametrize(
    "line", ["-C /srv/maintenance serve", "run x --override 'a reason' --until 2h", "--version", "runs show --help"]
)
def test_a_right_command_line_is_none(line: str) -> None:
    assert wrong_command(line, complete=True) == ""


def test_links_commands_and_targets_are_found_on_a_page(tmp_path: Path) -> None:
    text = "# A page\n\n[gone](gone.md), [self](#a-page), [no](#b)\n\n    $ wellkept calender\n    make nothing   words\n\n`wellkept run`\n"
    page = Page(tmp_path / "page.md", text)
    page.path.write_text(text, encoding="utf-8")

    assert broken_links(page) == ["page.md: ](gone.md)", "page.md: ](#b)"]
    assert list(command_lines(page)) == [("calender", True), ("run", False)]
    assert make_targets(page) == {"nothing"}
