"""Windows: one rule, one length, a cutoff inside it, a day that comes, and a start that the clocks leave alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice

from runner.config.declared import Declared
from runner.config.ground import Ground
from runner.config.models.windows import Window
from runner.config.names import CALENDAR
from runner.config.rules.freezes import missing_files
from runner.domain.time.days import MONTHS
from runner.domain.time.duration import Duration, describe
from runner.domain.time.events import in_order
from runner.domain.time.occurrence import missing_starts, openings, overlapping
from runner.domain.time.recurrence import EVERY_DATE, ever_occurs, rule_dates
from runner.domain.time.window import ALWAYS, DayRule, MaintenanceWindow, Missing, Roll
from runner.errors import Problem

AHEAD = timedelta(days=731)  # 24 months
MOST_OPENINGS = 1000  # of a year; more is work on a cadence, and no maintenance window
_YEAR = timedelta(days=365)
_NEARLY_A_DAY = timedelta(hours=22)  # two openings cannot be nearer than this, also when clocks change
_RULES = ("day", "rrule", "cron", "ics")
_WHEN = (
    "start",
    "until",
    "duration",
    "dst",
    "months",
    "interval",
    "since",
    "offset_days",
    "calendar",
    "roll",
    "exdate",
    "rdate",
)
_NOT_WITH = {
    ("rrule", "interval"): "an rrule has its own. Write INTERVAL=2 into it",
    ("cron", "interval"): "a cron expression has none. Write day or rrule in its place",
    ("cron", "start"): "the cron expression says when it opens. Remove one of them",
    ("cron", "until"): "a cron expression may open several times a day. Write duration in its place",
    (
        "cron",
        "rdate",
    ): "a cron expression names times of day, and an added date has none. Write it into a window of its own",
    **{("ics", key): "the events of the calendar file say when it opens. Remove it" for key in _WHEN},
}


def problems(ground: Ground) -> Iterator[Problem]:
    """Everything that is wrong with windows beyond their shape, named ones and those written in schedules."""
    if builtin := ground.declared.windows.get(ALWAYS):
        yield builtin.problem(says=f"{ALWAYS}: this name is built in. Choose another")
    for window in (*ground.declared.windows.values(), *ground.declared.inline_windows.values()):
        yield from ground.names.check(window, CALENDAR, "calendar")
        found = [*_rule(window), *_counting(window), *_length(window), *missing_files(window, ground)]
        yield from found
        if window.model is None:
            yield from _day(window, ground.today)
        elif not found:
            yield from _openings(window, ground)


def _rule(window: Declared[Window]) -> Iterator[Problem]:
    """Exactly one rule that names days, and what belongs to it."""
    raw = window.raw
    given = [key for key in _RULES if key in raw]
    if len(given) > 1:
        says = f"{given[0]} and {given[1]} both say on which days it opens. Keep one of them"
        yield window.problem(given[1], says=says, at_key=True)
    elif not given and raw:
        yield window.problem(says="day: is missing. Add it, such as day: saturday, or give an rrule, cron or ics")
    elif given and given[0] in {"day", "rrule"} and "start" not in raw:
        yield window.problem(says='start: is missing. Add it, such as start: "22:00"')
    if "summary" in raw and "ics" not in raw:
        says = "summary: chooses among the events of a calendar file. Add ics: FILE, or remove it"
        yield window.problem("summary", says=says, at_key=True)
    for key in [key for kind, key in _NOT_WITH if given == [kind] and key in raw]:
        yield window.problem(key, says=f"{key}: {_NOT_WITH[given[0], key]}", at_key=True)


def _counting(window: Declared[Window]) -> Iterator[Problem]:
    """What is counted has a beginning, and who rolls knows which days are worked."""
    raw = window.raw
    if "interval" in raw and "day" in raw and "since" not in raw:
        says = "interval: it counts from a first date. Add since: 2026-01-03"
        yield window.problem("interval", says=says, at_key=True)
    if "rrule" in raw and "since" not in raw:
        says = "rrule: it counts from a first date, its DTSTART. Add since: 2026-01-03"
        yield window.problem("rrule", says=says, at_key=True)
    roll = window.value("roll")
    if roll not in {None, str(Roll.NONE)} and "calendar" not in raw and "ics" not in raw:
        says = f"roll: {roll} needs to know which days are worked. Add calendar: NAME, and declare it below calendars:"
        yield window.problem("roll", says=says)


def _length(window: Declared[Window]) -> Iterator[Problem]:
    """Exactly one of duration and until, and parts of it that are shorter."""
    given = [key for key in ("duration", "until") if key in window.raw]
    if len(given) > 1:
        says = "duration and until both say when it closes. Keep one of them"
        yield window.problem("until", says=says, at_key=True)
    elif not given and "ics" not in window.raw and window.raw:
        yield window.problem(says=f'{window.name}: does not say when it closes. Add duration: 4h or until: "04:00"')
    else:
        yield from _parts_of_length(window)


def _parts_of_length(window: Declared[Window]) -> Iterator[Problem]:
    """Cutoff, splay and the least usable part fit into the length."""
    length = length_of(window)
    cutoff, splay, least = (window.value(key) for key in ("cutoff", "splay", "min_usable"))
    if not length or not isinstance(cutoff, timedelta):
        return
    if cutoff >= length:
        says = f"cutoff: {describe(cutoff)} leaves nothing of a window of {describe(length)}. Make it shorter"
        yield window.problem("cutoff", says=says)
    elif isinstance(splay, timedelta) and splay >= length - cutoff:
        says = f"splay: {describe(splay)} reaches past the last start, {describe(length - cutoff)} after the opening. Make it shorter"
        yield window.problem("splay", says=says)
    if isinstance(least, timedelta) and least > length:
        says = f"min_usable: {describe(least)} is longer than the window, which has {describe(length)}. Make it shorter"
        yield window.problem("min_usable", says=says)


def length_of(window: Declared[Window]) -> timedelta | None:
    """How long a window is by its rule, as far as that can be read."""
    duration, start, until = (window.value(key) for key in ("duration", "start", "until"))
    if isinstance(duration, Duration):
        return duration.as_timedelta()
    if isinstance(start, time) and isinstance(until, time):
        return MaintenanceWindow(window.name, start=start, until=until).length
    return None


def _day(window: Declared[Window], today: date) -> Iterator[Problem]:
    """A day that comes, of a window in which something else is wrong."""
    day, months = window.value("day"), window.value("months")
    if isinstance(day, DayRule) and isinstance(months, list):
        bare = MaintenanceWindow(window.name, day=day, months=tuple(sorted(set(months))))
        if not _ever_occurs(bare, today):
            yield window.problem("day", says=_never_in_months(bare))


def _openings(window: Declared[Window], ground: Ground) -> Iterator[Problem]:
    """A window that opens, but not too often, and starts that the clocks leave alone."""
    key = next((key for key in _RULES if key in window.raw), "day")
    try:
        domain = replace(ground.window(window), source="")
    except ValueError as error:
        yield window.problem(key, says=f"{key}: {error}")
        return
    if domain.calendar is None and "calendar" in window.raw:
        return  # it is unknown or broken, and told where it stands
    if domain.events and domain.cutoff >= domain.length:
        says = f"cutoff: {describe(domain.cutoff)} leaves nothing of any event; the longest has {describe(domain.length)}. Make it shorter"
        yield window.problem("cutoff", says=says)
    elif not _ever_occurs(domain, ground.today):
        yield _never(window, domain, key, ground.today)
    elif (domain.rule or domain.events) and _opens_too_often(domain, ground.today):
        says = f"{key}: it opens more than {MOST_OPENINGS} times a year. Choose fewer times"
        yield window.problem(key, says=says)
    else:
        yield from _clocks(window, domain, ground.today)


def _never(window: Declared[Window], domain: MaintenanceWindow, key: str, today: date) -> Problem:
    """Say why a window never opens: its rule names no date, or whatever it names is left out."""
    bare = replace(domain, since=None, interval=1, roll=Roll.NONE, without=())
    if domain.day and not _ever_occurs(bare, today):
        return window.problem("day", says=_never_in_months(bare))
    if domain.events or _ever_occurs(domain, domain.since or today):
        says = f"{key}: it has come to its end and does not open from {today} on. Change it, or remove the window"
        return window.problem(key, says=says, severity="warning")
    if domain.rule and not _ever_occurs(replace(domain, roll=Roll.NONE, without=()), today):
        return window.problem(key, says=f"{key}: it never occurs. Change it, or the months")
    left_out = " or ".join(key for key in ("exdate", "roll") if key in window.raw) or "since and interval"
    says = f"{window.name}: it never opens; every date that it names is left out by {left_out}. Change one of them"
    return window.problem(says=says)


def _never_in_months(window: MaintenanceWindow) -> str:
    names = ", ".join(MONTHS[month - 1] for month in window.months)
    assert window.day  # noqa: S101  the caller has looked
    return f"day: {window.day.text} never occurs" + (f" in {names}. Change the day or the months" if names else "")


def _clocks(window: Declared[Window], domain: MaintenanceWindow, today: date) -> Iterator[Problem]:
    """Warn of starts that do not exist on some day, of openings that run into the next, and of a weekend cut in two."""
    if days := _missing_starts(domain, today):
        skips = domain.missing is Missing.SKIP
        at = f"{domain.start:%H:%M}" if domain.start and not domain.rule else "its time"
        key = "start" if "start" in window.raw else "cron"  # events have no starts that could be missing here
        says = (
            f"{key}: {at} does not exist on {days[0]} in {domain.timezone}, when the clocks change; "
            f"{'it does not open then' if skips else 'it opens when they have'}. Choose another time to be clear"
        )
        yield window.problem(key, says=says, severity="warning")
    close = domain.length > _NEARLY_A_DAY or domain.events or (domain.rule and domain.rule.has_times)
    if close and (pair := _first_overlap(domain, today)):
        says = (
            f"{window.name}: the opening of {pair[0]} is still going when that of {pair[1]} begins. "
            "Make it shorter, or choose fewer days"
        )
        yield window.problem(says=says, severity="warning")
    days_listed = window.raw.get("day")
    if domain.interval > 1 and isinstance(days_listed, list) and len(set(days_listed)) > 1:
        says = f"interval: it counts every single day of the list, not weeks. For weeks write rrule: FREQ=WEEKLY;INTERVAL={domain.interval};BYDAY=SA,SU"
        yield window.problem("interval", says=says, severity="warning")


@lru_cache(maxsize=512)
def _ever_occurs(window: MaintenanceWindow, today: date) -> bool:
    if window.events:
        return next(in_order(window.events, first=today, last=today + EVERY_DATE), None) is not None
    return ever_occurs(window, since=today)


@lru_cache(maxsize=512)
def _opens_too_often(window: MaintenanceWindow, today: date) -> bool:
    last = today + _YEAR
    dates: Iterator[object] = rule_dates(window, first=today, last=last)
    if window.events:
        dates = in_order(window.events, first=today, last=last)
    return next(islice(dates, MOST_OPENINGS, None), None) is not None


@lru_cache(maxsize=512)
def _missing_starts(window: MaintenanceWindow, today: date) -> tuple[date, ...]:
    return tuple(missing_starts(window, first=today, last=today + AHEAD))


@lru_cache(maxsize=512)
def _first_overlap(window: MaintenanceWindow, today: date) -> tuple[date, date] | None:
    from_ = datetime.combine(today, time(0), UTC)
    bare = replace(window, cutoff=timedelta(0))
    pair = next(overlapping(openings(bare, (), from_=from_, to=from_ + AHEAD)), None)
    return (pair[0].rule_date, pair[1].rule_date) if pair else None
