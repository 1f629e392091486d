"""Lays out a new maintenance repository from the starter files: settings, playbooks, an inventory, schedules and a report."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path

from runner.errors import InternalError, UsageError

SETTINGS = "wellkept.yml"
FOLDERS = ("playbooks", "inventories", "schedules", "reports")
KINDS = {".yml", ".md"}
NOT_FOR_USERS = {"output", "samples"}  # below reports/: what is written there, not what is written by hand
ORGANISATION = re.compile(r"^organisation:.*$", re.MULTILINE)
SCHEMAS = ".wellkept/schemas"
GITIGNORE = """\
# The database, snapshots and keys of this installation
/var/
# Reports are written here
/reports/output/
"""


def starter_source() -> Path:
    """Where the starter files are: inside the installed package, or in the checkout that the package runs from."""
    packaged = Path(str(files("runner"))) / "starter"
    checkout = Path(__file__).resolve().parents[2]
    for folder in (packaged, checkout):
        if (folder / SETTINGS).is_file():
            return folder
    raise InternalError(
        f"{packaged}: the starter files are missing from this installation. Install Wellkept again: pip install --force-reinstall wellkept"
    )


def lay_out(
    target: Path, *, source: Path, organisation: str, schemas: Mapping[str, Mapping[str, object]] | None = None
) -> list[Path]:
    """Write the starter files below `target`, and the JSON Schemas that they name; gives what was written, in order.

    Nothing that is there already is overwritten. wellkept.yml comes last, so that a layout that was interrupted can be done again.
    Raises UsageError when `target` is a maintenance repository already or cannot be written, or the name cannot be printed.
    """
    refuse_what_is_there(target)
    settings = with_organisation((source / SETTINGS).read_text(encoding="utf-8"), organisation)
    texts = {path: (source / path).read_text(encoding="utf-8") for path in starter_files(source)}
    texts |= {
        Path(SCHEMAS, f"{kind}.json"): json.dumps(schema, indent=2) + "\n" for kind, schema in (schemas or {}).items()
    }
    texts[Path(".gitignore")] = GITIGNORE
    texts[Path(SETTINGS)] = settings
    try:
        return [path for path in (write_new(target / name, text) for name, text in texts.items()) if path is not None]
    except OSError as problem:
        raise UsageError(
            f"{problem.filename or target}: {problem.strerror}. Choose a folder that you may write to: wellkept init DIR"
        ) from problem


def refuse_what_is_there(target: Path) -> None:
    """Refuse a file, and a folder that is a maintenance repository already."""
    if (target / SETTINGS).exists():
        raise UsageError(
            f"{target / SETTINGS} is there already: this is a maintenance repository. `wellkept -C {target} validate` checks it."
        )
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file. Name a folder, new or empty: wellkept init DIR")


def starter_files(source: Path) -> Iterator[Path]:
    """The starter files but the settings, relative to `source`, in order."""
    for folder in FOLDERS:
        for path in sorted((source / folder).rglob("*")):
            name = path.relative_to(source)
            if path.suffix in KINDS and path.is_file() and not NOT_FOR_USERS & set(name.parts):
                yield name


def with_organisation(settings: str, organisation: str) -> str:
    """The settings with the organisation's name, quoted so that no name can be read as anything but text."""
    if not organisation.strip() or not organisation.isprintable():
        raise UsageError(
            f"{organisation!r} is no name to print on reports. Write it in plain characters: --organisation NAME"
        )
    line = f"organisation: {json.dumps(organisation, ensure_ascii=False)}"
    return ORGANISATION.sub(lambda _: line, settings, count=1)


def write_new(path: Path, text: str) -> Path | None:
    """Write a file that is not there yet; None when one is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return None
    return path
