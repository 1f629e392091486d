"""Instants as people type them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import click

from runner.domain.time.duration import parse_timedelta
from runner.errors import UsageError

next_option = click.option(
    "--next",
    "coming",
    type=click.Choice(["night", "weekend", "week"]),
    help="The coming night (18:00 to 06:00), weekend (Friday 18:00 to Monday 06:00) or week (from Monday); one that is going on, but for a week, counts.",
)


def parse_until(text: str, *, now: datetime, zone: str) -> datetime:
    """A duration from now (`2h`), or a local or offset date and time; raises UsageError."""
    try:
        return now + parse_timedelta(text)
    except (ValueError, OverflowError):
        return parse_instant(text, now=now, zone=zone)


def parse_since(text: str, *, now: datetime, zone: str) -> datetime:
    """`yesterday` or `today` from their first moment, a duration back from now (`7d`), or an instant; raises UsageError."""
    days = {"today": 0, "yesterday": 1}.get(text.strip())
    if days is not None:
        day = now.astimezone(ZoneInfo(zone)).date() - timedelta(days=days)
        return parse_instant(day.isoformat(), now=now, zone=zone)
    try:
        return now - parse_timedelta(text)
    except (ValueError, OverflowError):
        return parse_instant(text, now=now, zone=zone)


def parse_instant(text: str, *, now: datetime, zone: str) -> datetime:
    """`now`, a date, a date and time (`today 22:00`, too), or a time today, in the repository's zone unless it has an offset; raises UsageError."""
    if text.strip() == "now":
        return now
    local = now.astimezone(ZoneInfo(zone))
    day, _, clock = text.strip().partition(" ")
    named = {"today": 0, "tomorrow": 1}.get(day)
    typed = text.strip() if named is None or not clock else f"{local.date() + timedelta(days=named)}T{clock.strip()}"
    for candidate in (typed, f"{local:%Y-%m-%d}T{typed}"):
        try:
            found = datetime.fromisoformat(candidate)
            return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    raise UsageError(f"{text!r} is no time. Write 2026-03-22, '2026-03-22 04:00', 04:00, or a duration such as 2h.")
