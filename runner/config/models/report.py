"""Files of reports: which report, for whom, about which period."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from runner.config.fields import Name, Period, Text
from runner.config.models.shape import Shape
from runner.domain.report import Edition, ReportDefinition


class Scope(Shape):
    """What a report is about."""

    services: list[Name] = Field(default_factory=list, description="services of wellkept.yml; all when left out")


class ReportFile(Shape):
    """Which report, for whom, about which period."""

    report: Name = Field(description="its name", examples=["monthly-audit"])
    title: Text | None = Field(default=None, description="what stands on its first page; otherwise its name")
    edition: Literal["auditor"] = Field(description="the reader it is written for", examples=["auditor"])
    period: Period = Field(
        description="`last_week`, `last_month`, `last_quarter`, a quarter, a month, or two days",
        examples=["last_month"],
    )
    scope: Scope = Field(default_factory=Scope, description="what it is about; everything when left out")
    formats: Annotated[list[Literal["html", "json"]], Field(min_length=1)] = Field(
        default=["html", "json"], description="the files that are written"
    )

    def to_domain(self, *, source: str) -> ReportDefinition:
        """The report as the rest of the program knows it."""
        return ReportDefinition(
            name=self.report,
            edition=Edition(self.edition),
            period=self.period,
            title=self.title or self.report,
            services=tuple(self.scope.services),
            formats=tuple(dict.fromkeys(self.formats)),
            source=source,
        )
