"""What stands on a page of documentation: links, command lines, make targets, paths and YAML."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from runner.cli.commands import wellkept

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]*))?\)")
INLINE = re.compile(r"`([^`\n]+)`")
COMMAND = re.compile(r"^(?:\$ )?(?:sudo -u \w+ )?(?:ExecStart=)?(?:/opt/wellkept/bin/)?wellkept (?P<rest>.*)$")
TARGET = re.compile(r"^make(?: (?P<target>[a-z-]+))?(?:  .*)?$")
NAMED_PATH = re.compile(r"^(?:runner|tests|docs|playbooks)/[\w./-]+$")


@dataclass(frozen=True)
class Page:
    """One page; `text` is all of it."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix() if self.path.is_relative_to(ROOT) else self.path.name

    @property
    def fences(self) -> list[tuple[str, str]]:
        """The fenced blocks: language and text."""
        return [(found["language"], textwrap.dedent(found["text"])) for found in FENCE.finditer(self.text)]

    @property
    def prose(self) -> str:
        """The page without its fenced blocks."""
        return FENCE.sub("", self.text)

    @property
    def lines_of_code(self) -> Iterator[str]:
        """Lines of fenced and of indented blocks."""
        for language, text in self.fences:
            yield from () if language == "yaml" else text.splitlines()
        for line in self.prose.splitlines():
            if line.startswith("    "):
                yield line.strip()

    @property
    def inline_code(self) -> Iterator[str]:
        """What stands between backticks within the text."""
        for line in self.prose.splitlines():
            if not line.startswith("    "):
                yield from INLINE.findall(line)


def read(path: Path) -> Page:
    return Page(path, path.read_text(encoding="utf-8"))


def anchors(page: Page) -> set[str]:
    """The anchors of a page's headings, as the usual renderers make them; `<a id=…>` counts too."""
    headings = re.findall(r"^#+ (.+)$", page.prose, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a (?:id|name)="([^"]+)"', page.text))


def broken_links(page: Page) -> list[str]:
    """Relative links that lead nowhere."""
    found = []
    for link in LINK.finditer(page.prose):
        if link["path"].startswith(("http://", "https://", "mailto:")):
            continue
        target = (page.path.parent / link["path"]).resolve() if link["path"] else page.path
        missing_anchor = link["anchor"] and target.is_file() and link["anchor"] not in anchors(read(target))
        if not target.exists() or missing_anchor:
            found.append(f"{page.name}: {link[0]}")
    return found


def command_lines(page: Page) -> Iterator[tuple[str, bool]]:
    """Every `wellkept …` line, and whether it stands in a block, where it must be complete."""
    for line in joined(page.lines_of_code):
        if found := COMMAND.match(line):
            yield re.split(r"\s{2,}|\s#\s", found["rest"])[0], True
    for code in page.inline_code:
        if found := COMMAND.match(code):
            yield found["rest"], False


def joined(lines: Iterator[str]) -> Iterator[str]:
    """Lines that end in a backslash together with the next one."""
    kept = ""
    for line in lines:
        kept += line
        if kept.endswith("\\"):
            kept = kept[:-1]
            continue
        yield kept
        kept = ""


def wrong_command(line: str, *, complete: bool) -> str:
    """What is wrong with a command line after the word `wellkept`; empty when nothing is."""
    command: click.Command = wellkept
    words = shlex.split(line)
    context = click.Context(command, info_name="wellkept")
    try:
        while isinstance(command, click.Group):
            _, words, _ = command.make_parser(context).parse_args(words)
            if not words:
                return "" if not complete or line.startswith("-") else "names no command"
            name, command, words = command.resolve_command(context, words)
            context = click.Context(command, info_name=name, parent=context)
        command.make_context(context.info_name, list(words), parent=context.parent)
    except click.MissingParameter as missing:
        return missing.format_message() if complete else ""
    except click.BadParameter:
        return ""  # such as a file that is not on this machine
    except click.exceptions.Exit:
        return ""  # --help and --version
    except click.UsageError as wrong:
        return wrong.format_message()
    return ""


def make_targets(page: Page) -> set[str]:
    """The targets that a page tells people to make."""
    found = (TARGET.match(code) for code in [*page.lines_of_code, *page.inline_code])
    return {match["target"] for match in found if match and match["target"]}


def named_paths(page: Page) -> list[str]:
    """Paths of this repository between backticks."""
    return [code for code in page.inline_code if NAMED_PATH.match(code)]
