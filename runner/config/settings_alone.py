"""wellkept.yml by itself, so that the record can be looked at while another file is being mended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from runner.config.assemble import settings_of
from runner.config.declared import declare
from runner.config.files import SETTINGS, Document, Reading, read_file
from runner.config.ground import survey
from runner.config.models.settings import SettingsFile
from runner.config.rules import settings as rules
from runner.config.validation import validate
from runner.domain.settings import Settings
from runner.errors import FilesInvalid


def read_settings(root: Path, *, environ: Mapping[str, str]) -> Settings:
    """What wellkept.yml says, whatever the other files are like; raises FilesInvalid with the problems of wellkept.yml."""
    root = root.resolve()
    source, problems = read_file(root, root / SETTINGS)
    if source is None:
        raise FilesInvalid(problems)
    model, wrong = validate(SettingsFile, source)
    declared, _ = declare(Reading((Document("settings", source, model),), (), unread=False))
    ground = survey(declared, root=root, environ=environ, today=datetime.now(UTC).date())
    errors = [found for found in (*problems, *wrong, *rules.problems(ground)) if found.severity == "error"]
    if errors or model is None:
        raise FilesInvalid(errors)
    return settings_of(model, ground)
