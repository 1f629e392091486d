"""Writes a report of a period as files, and records that it was written, by whom, and with which digests."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from runner.domain.record.record import INSTALLATION
from runner.domain.report import Edition, Period, ReportDefinition
from runner.domain.who import Actor
from runner.errors import Unknown, UsageError
from runner.reporting.audit import audit_report
from runner.reporting.document import to_html, to_json
from runner.reporting.material import Heading, Scope
from runner.reporting.values import AuditReport
from runner.store.database import Store
from runner.store.record import evidence, log
from runner.store.record.report_rows import of_period
from runner.store.transaction import Transaction

TITLES: Mapping[Edition, str] = {Edition.AUDITOR: "Audit report of completed maintenance"}
RENDERERS: Mapping[str, Callable[[bytes], bytes]] = {"html": to_html, "json": lambda json_text: json_text}
FILE_MODE, FOLDER_MODE = 0o640, 0o750  # hosts, people and faults are named in it: for the group, not for everybody
SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Draft:
    """A report that lies complete beside its place, and only has to be renamed."""

    draft: Path
    place: Path
    sha256: str
    size: int


def write_report(
    store: Store,
    definition: ReportDefinition | Edition,
    *,
    period: Period,
    folder: Path,
    organisation: str,
    timezone: ZoneInfo,
    generated_at: datetime,
    actor: Actor,
    versions: Mapping[str, str],
    formats: Sequence[str] = (),
    scope: Scope | None = None,
) -> list[Path]:
    """Write `NAME-PERIOD.FORMAT` for each format into `folder`, whole or not at all, and record it; an earlier file of that name is replaced.

    `formats` empty means those of the definition. A definition that names services needs their hosts as `scope`. The record comes before the files take
    their place, so that no report lies there which the record does not know. Raises UsageError for an edition or format that is not written yet, or a
    period that one report cannot hold; Unknown when the folder cannot be written.
    """
    wanted = (
        definition
        if isinstance(definition, ReportDefinition)
        else ReportDefinition(str(definition), definition, period.label)
    )
    renderers = renderers_of(wanted, formats)
    if wanted.services and scope is None:
        raise ValueError(
            f"report {wanted.name!r} is about services {', '.join(wanted.services)}. Give their hosts as its scope"
        )
    heading = Heading(
        organisation=organisation,
        title=wanted.title or TITLES[wanted.edition],
        generated_at=generated_at,
        generated_by=str(actor),
        versions=versions,
        installation=store.installation.id,
    )
    rows = store.read(lambda c: of_period(c, starts=period.starts, ends=period.ends))
    report = audit_report(rows, period=period, zone=timezone, heading=heading, scope=scope)
    json_text = to_json(report)
    contents = {f"{wanted.name}-{period.label}.{name}": render(json_text) for name, render in renderers.items()}
    record = partial(
        record_report, report=report, period=period, name=wanted.name, json_text=json_text, actor=actor, at=generated_at
    )
    return placed(contents, folder, record=lambda drafts: store.write(partial(record, drafts=drafts)))


def renderers_of(definition: ReportDefinition, formats: Sequence[str]) -> dict[str, Callable[[bytes], bytes]]:
    """How each wanted format is made from the JSON; refuses what is not written yet, and names that would leave the folder."""
    if definition.edition not in TITLES:
        editions = ", ".join(TITLES)
        raise UsageError(f"The {definition.edition} edition is not supported yet. Editions that are: {editions}.")
    if not SAFE_NAME.fullmatch(definition.name):
        raise UsageError(
            f"{definition.name!r} cannot be a file's name. Use letters, digits, dots, dashes and underscores."
        )
    asked = tuple(dict.fromkeys(formats or definition.formats))
    if unknown := [name for name in asked if name not in RENDERERS]:
        raise UsageError(
            f"Reports cannot be written as {', '.join(unknown)} yet. Formats that can: {', '.join(RENDERERS)}."
        )
    return {name: RENDERERS[name] for name in asked}


def placed(contents: Mapping[str, bytes], folder: Path, *, record: Callable[[Sequence[Draft]], None]) -> list[Path]:
    """Write all files beside their places, record them, then give each its name; nothing is left when that fails before the renaming."""
    drafts: list[Draft] = []
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        for name, content in contents.items():
            drafts.append(drafted(folder / name, content))
        record(drafts)
        for draft in drafts:
            draft.draft.replace(draft.place)
        sync(folder)
    except OSError as reason:
        raise Unknown(
            f"{folder}: the report cannot be written ({reason.strerror}). Free space there, or let this user write it."
        ) from reason
    finally:
        for draft in drafts:
            draft.draft.unlink(missing_ok=True)
    return [draft.place for draft in drafts]


def drafted(place: Path, content: bytes) -> Draft:
    """A file's whole content on the disk beside its place; what was begun is removed when it cannot be finished."""
    draft = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, FILE_MODE), "wb") as file:
            os.fchmod(file.fileno(), FILE_MODE)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    return Draft(draft, place, hashlib.sha256(content).hexdigest(), len(content))


def sync(folder: Path) -> None:
    """Make the new names of a folder last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def record_report(
    connection: Transaction,
    *,
    report: AuditReport,
    period: Period,
    name: str,
    json_text: bytes,
    actor: Actor,
    at: datetime,
    drafts: Sequence[Draft],
) -> None:
    """Keep the report's JSON as evidence, and an entry in the installation's log with the digest of every file."""
    kept = evidence.add(connection, kind="report", media_type="application/json", body=json_text, at=at)
    body = {
        "action": "report.written",
        "actor": asdict(actor),
        "report": report.id,
        "name": name,
        "edition": report.edition,
        "period": {"label": period.label, "starts": period.starts, "ends": period.ends},
        "evidence": kept,
        "files": [{"name": draft.place.name, "sha256": draft.sha256, "size": draft.size} for draft in drafts],
        "versions": dict(report.cover.versions),
    }
    log.append(connection, INSTALLATION, [body], at=at)
