"""What we are told: the files of a maintenance repository, checked, as domain values, or every problem at its place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from runner.config.assemble import assemble
from runner.config.declared import declare
from runner.config.files import read_files
from runner.config.ground import survey
from runner.config.playbooks import Play, plays_of
from runner.config.root import find_root
from runner.config.rules import broken_rules
from runner.domain.settings import Definitions
from runner.errors import FilesInvalid, Problem
from runner.ports import DateSources

__all__ = ["Play", "check", "find_root", "plays_of", "read"]


def read(
    root: Path,
    *,
    environ: Mapping[str, str] | None = None,
    today: date | None = None,
    beside: Mapping[str, str] | None = None,
    sources: DateSources | None = None,
) -> Definitions:
    """Read every file of a maintenance repository; raises FilesInvalid with all problems when there is any error.

    `environ` is where `${NAME}` is looked up (this process's environment when left out); windows are looked at 24 months ahead of `today`.
    `sources` reads what is written in languages of its own: rrule, cron, the holidays of countries; without it such rules are refused.
    `beside` are texts of schedules that stand in no file, by the name that problems are told under.
    """
    definitions, problems = check(root, environ=environ, today=today, beside=beside, sources=sources)
    if definitions is None:
        raise FilesInvalid([problem for problem in problems if problem.severity == "error"])
    return definitions


def check(
    root: Path,
    *,
    environ: Mapping[str, str] | None = None,
    today: date | None = None,
    beside: Mapping[str, str] | None = None,
    sources: DateSources | None = None,
) -> tuple[Definitions | None, list[Problem]]:
    """Read every file as `read` does, and give all problems in order, warnings included; definitions only without errors."""
    root = root.resolve()
    reading = read_files(root, beside=beside)
    declared, twice = declare(reading)
    ground = survey(
        declared,
        root=root,
        environ=os.environ if environ is None else environ,
        today=today or datetime.now(UTC).date(),
        sources=sources,
    )
    problems = sorted({*reading.problems, *twice, *broken_rules(ground)})
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    return assemble(ground), problems
