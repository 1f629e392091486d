"""What the next opening of many windows costs, beside what cron and calendar libraries take for rules that they have, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from croniter import croniter
from cronsim import CronSim
from dateutil.rrule import rrulestr

from runner.adapters.calendars import Calendars
from runner.domain.time.occurrence import next_opening
from runner.domain.time.window import MaintenanceWindow, OtherRule
from tests.benchmarks.measure import median, spread, table, timed
from tests.domain.windows import a_window

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
ROUNDS = 3
PATIENCE = 250  # rules that dateutil alone is asked; all would take minutes


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule in the words of three languages."""

    words: str
    cron: str
    rrule: str


RULES = (
    Rule("second tuesday", "* * 2#2", "FREQ=MONTHLY;BYDAY=2TU"),
    Rule("last friday", "* * 5L", "FREQ=MONTHLY;BYDAY=-1FR"),
    Rule("saturday", "* * 6", "FREQ=WEEKLY;BYDAY=SA"),
    Rule("day 15", "15 * *", "FREQ=MONTHLY;BYMONTHDAY=15"),
    Rule("last day", "L * *", "FREQ=MONTHLY;BYMONTHDAY=-1"),
    Rule("weekdays", "* * 1-5", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
)
BEGINNINGS = {"this month": date(2026, 3, 1), "a year old": date(2025, 3, 1), "six years old": date(2020, 3, 1)}


def measure(*, quick: bool) -> None:
    """(f) The next opening of each of many windows, in one process, one library after the other."""
    number = 500 if quick else 10_000
    rules = [(RULES[n % len(RULES)], n % 24, n % 60) for n in range(number)]
    works: dict[str, tuple[Callable[[], object], int]] = {
        name: (partial(opened, made(rules)), ROUNDS) for name, made in OURS.items()
    }
    works |= {name: (partial(work, rules), ROUNDS) for name, work in PEERS.items()}
    taken = {name: [timed(work) for _ in range(rounds)] for name, (work, rounds) in works.items()}
    for age, since in BEGINNINGS.items():
        some = rules[:: number // PATIENCE]
        taken[f"dateutil alone, DTSTART {age}"] = [timed(partial(by_dateutil, some, since)) * number / len(some)]
    ours = median(taken["wellkept, day"])
    rows = [(name, f"{spread(values)}, ratio {median(values) / ours:.1f}") for name, values in taken.items()]
    note = f"Ours are whole openings of windows read once; the others read the text and give a start. dateutil: {PATIENCE} of them, reckoned up."
    table(f"(f) {number:,} next openings", rows, note=note)


Asked = Sequence[tuple[Rule, int, int]]


def of_day(rules: Asked, *, since: str | None = None) -> list[MaintenanceWindow]:
    return [
        a_window(rule.words, start=f"{hour:02}:{minute:02}", interval=2 if since else 1, since=since)
        for rule, hour, minute in rules
    ]


def of_rrule(rules: Asked, *, since: date) -> list[MaintenanceWindow]:
    """Ours through dateutil, moved forward."""
    read = Calendars().rrule
    return [
        replace(
            a_window(start=f"{hour:02}:{minute:02}"),
            day=None,
            rule=OtherRule(rule.rrule, has_times=False, starts=read(rule.rrule, since=since)),
        )
        for rule, hour, minute in rules
    ]


def of_cron(rules: Asked) -> list[MaintenanceWindow]:
    """Ours through cronsim."""
    read = Calendars().cron
    texts = [f"{minute} {hour} {rule.cron}" for rule, hour, minute in rules]
    return [replace(a_window(), day=None, rule=OtherRule(text, has_times=True, starts=read(text))) for text in texts]


def opened(windows: Sequence[MaintenanceWindow]) -> None:
    for window in windows:
        assert next_opening(window, (), after=NOW)


def by_cronsim(rules: Asked) -> None:
    now = NOW.astimezone(ZONE)
    for rule, hour, minute in rules:
        assert next(CronSim(f"{minute} {hour} {rule.cron}", now)) > now


def by_croniter(rules: Asked) -> None:
    now = NOW.astimezone(ZONE)
    for rule, hour, minute in rules:
        words = rule.cron.replace("5L", "L5")
        assert croniter(f"{minute} {hour} {words}", now, ret_type=datetime).get_next() > now


def by_dateutil(rules: Asked, since: date) -> None:
    for rule, hour, minute in rules:
        begins = datetime.combine(since, datetime.min.time(), ZONE) + timedelta(hours=hour, minutes=minute)
        assert rrulestr(rule.rrule, dtstart=begins).after(NOW.astimezone(ZONE))


OURS: dict[str, Callable[[Asked], list[MaintenanceWindow]]] = {
    "wellkept, day": of_day,
    "wellkept, day, every second since this year": partial(of_day, since="2026-01-03"),
    "wellkept, day, every second for six years": partial(of_day, since="2020-01-04"),
    "wellkept, rrule of this month": partial(of_rrule, since=date(2026, 3, 1)),
    "wellkept, rrule six years old": partial(of_rrule, since=date(2020, 3, 1)),
    "wellkept, cron": of_cron,
}
PEERS: dict[str, Callable[[Asked], None]] = {"cronsim": by_cronsim, "croniter": by_croniter}
