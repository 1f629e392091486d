"""The auditor's edition: the rows of a period as one frozen report."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, replace
from zoneinfo import ZoneInfo

from runner.domain.record.record import Link, canonical
from runner.domain.report import Edition, Period
from runner.domain.time.period import in_words
from runner.reporting.cadence import cadence_lines
from runner.reporting.changes import change_lines
from runner.reporting.hosts import run_hosts
from runner.reporting.limitations import LATER_SECTIONS, completeness, limitations
from runner.reporting.material import Heading, Material, Scope, material
from runner.reporting.proofs import evidence_index, override_lines, pause_lines
from runner.reporting.slots import slot_lines
from runner.reporting.standings import standings
from runner.reporting.summary import summary
from runner.reporting.tickets import ticket_lines
from runner.reporting.values import FORMAT, AuditReport, Cover, DataCut, LogPoint
from runner.store.record.period_rows import PeriodRows

ID_LENGTH = 16  # hexadecimal digits of the digest that a report is named by


def audit_report(
    rows: PeriodRows, *, period: Period, zone: ZoneInfo, heading: Heading, scope: Scope | None = None
) -> AuditReport:
    """Make the report of a period; the same rows and heading give the same report, to the byte."""
    found = material(rows, period=period, zone=zone, scope=scope or Scope(), heading=heading)
    hosts = standings(found)
    report = AuditReport(
        format=FORMAT,
        edition=str(Edition.AUDITOR),
        id="",
        cover=cover(found),
        summary=summary(found, hosts),
        schedule=slot_lines(found),
        cadence=cadence_lines(found),
        changes=change_lines(found),
        standings=hosts,
        hosts=run_hosts(found),
        tickets=ticket_lines(found),
        overrides=override_lines(found),
        pauses=pause_lines(found),
        evidence=evidence_index(found),
        limitations=limitations(found, hosts),
        missing=LATER_SECTIONS,
    )
    return replace(report, id=report_id(report))


def report_id(report: AuditReport) -> str:
    """A name made from the report's whole content."""
    return f"audit-{hashlib.sha256(canonical(asdict(report))).hexdigest()[:ID_LENGTH]}"


def cover(found: Material) -> Cover:
    """What the report is about, who made it from what, and how whole the record is."""
    heading, period = found.heading, found.period
    return Cover(
        organisation=heading.organisation,
        title=heading.title,
        scope=found.scope.title,
        period=in_words(period, found.zone),
        period_label=period.label,
        starts=found.moment(period.starts),
        ends=found.moment(period.ends),
        timezone=found.zone.key,
        generated_at=found.moment(heading.generated_at),
        generated_by=heading.generated_by,
        versions=dict(sorted(heading.versions.items())),
        data_cut=data_cut(found),
        completeness=completeness(found),
    )


def data_cut(found: Material) -> DataCut:
    """The entries of the installation's log that the report lies between."""
    cut = found.rows.cut
    return DataCut(found.heading.installation, point(cut.first), point(cut.last), LogPoint(cut.head.seq, cut.head.hash))


def point(link: Link | None) -> LogPoint | None:
    """An entry of the log, if there is one."""
    return LogPoint(link.seq, link.hash) if link else None
