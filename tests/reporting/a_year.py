"""A year of maintenance for tests: weekly, monthly and daily work, two zones, freezes, and names that are hard to place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from runner.reporting.year import Frozen, Named, Opens, year_page

YEAR = 2027
LONG = "restart-of-everything-that-has-a-very-long-name-without-a-place-to-break"
SCHEDULES = (
    Named("patch", "Security updates of the servers", "Europe/Berlin", "web:&linux", "team-web"),
    Named("facts", "What is installed and what is pending", "Europe/Berlin", "all", None),
    Named("firewall", "Firmware of the firewalls", "America/New_York", "network", "team-network"),
    Named(LONG, "Restart " * 12, "Europe/Berlin", LONG, LONG),
    *(Named(f"extra-{number}", f"Extra work {number}", "UTC", "all", None) for number in range(3)),
)
FREEZES = (
    Frozen(
        "year-end",
        "the busiest weeks",
        ((date(2027, 1, 1), date(2027, 1, 6)), (date(2027, 12, 20), date(2027, 12, 31))),
    ),
    Frozen("launch", "", ((date(2027, 5, 3), date(2027, 5, 3)),), only="web-shop"),
)


def openings() -> Iterator[Opens]:
    """Sundays, every day, month ends, and one day with more than fits."""
    for number in range(365):
        day = date(YEAR, 1, 1) + timedelta(days=number)
        yield Opens("facts", day, "05:00", "06:00", timedelta(hours=1), "planned")
        if day.weekday() == 6:
            state = "frozen" if day >= date(2027, 12, 20) else "cut short" if day.month == 5 else "planned"
            yield Opens("patch", day, "22:00", "02:00", timedelta(hours=4), state)
        if day.day == 15:
            yield Opens("firewall", day, "23:00", "01:00", timedelta(hours=2), "planned")
            yield Opens(LONG, day, "23:00", "01:00", timedelta(hours=2), "switched off")
    for number in range(3):
        yield Opens(f"extra-{number}", date(2027, 8, 15), "10:00", "11:00", timedelta(hours=1), "planned")


def a_year(organisation: str = "Example Ltd") -> str:
    return year_page(
        YEAR, list(openings()), SCHEDULES, FREEZES, organisation=organisation, as_of=date(2026, 11, 25)
    ).decode()
