"""Dates by rules in languages of their own: rrule, cron, calendar files, and the holidays of countries; each library is loaded when a file asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from runner.domain.time.events import Events
from runner.domain.time.window import StartSource
from runner.domain.time.workdays import DateSource


class Calendars:
    """Reads rules and gives what names their dates; all raise ValueError with the way out."""

    def rrule(self, text: str, *, since: date) -> StartSource:
        """The dates of a recurrence rule of RFC 5545 whose DTSTART is `since`."""
        from runner.adapters.calendars.recurring import read_rrule

        return read_rrule(text, since=since)

    def cron(self, text: str) -> StartSource:
        """The starts of a cron expression of five fields."""
        from runner.adapters.calendars.crontab import read_cron

        return read_cron(text)

    def holidays(self, country: str, subdivision: str | None) -> DateSource:
        """The public holidays of a country or a part of it."""
        from runner.adapters.calendars.public_holidays import read_holidays

        return read_holidays(country, subdivision)

    def events(self, files: Mapping[str, bytes], *, summary: str | None, zone: str) -> Events:
        """The events of calendar files by name, of that summary if one is given; whole days are days of `zone`."""
        from runner.adapters.calendars.files import read_events

        return read_events(files, summary=summary, zone=zone)
