"""A year of maintenance on one page, to be printed and hung on a wall."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from runner.domain.time.duration import describe
from runner.reporting.document import printable, style_digest
from runner.reporting.spoken import MONTHS, WEEKDAYS
from runner.templating import page

HUES = 8  # how many colours there are; the letter tells schedules apart, colour only helps
MOST_MARKS = 4  # in one day; with more, the last two places say how many there are
OFTEN = 200  # what opens on so many days of a year is told below, and not marked on each
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DID_NOT_RUN = "did not run"
WORDS = {
    "planned": "",
    "cut short": "cut short by a freeze",
    "frozen": "frozen",
    "switched off": "switched off",
    "waived": "waived: a person left it out",
    DID_NOT_RUN: "its time came, and nothing was done",
}


@dataclass(frozen=True, slots=True)
class Opens:
    """One opening of a schedule, by the wall clock of its window: on which day, from when to when, and how it looks, one of WORDS.

    `became` is said in place of the words of its look, where more is known.
    """

    schedule: str
    day: date
    start: str
    end: str
    length: timedelta
    look: str
    became: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """A schedule as the legend tells it."""

    schedule: str
    title: str
    zone: str
    hosts: str
    owner: str | None


@dataclass(frozen=True, slots=True)
class Frozen:
    """A freeze: its days in this year, first and last, and what it means when it does not mean everything."""

    name: str
    reason: str
    spans: tuple[tuple[date, date], ...]
    only: str = ""


@dataclass(frozen=True, slots=True)
class _Mark:
    """What stands in a day: a letter with its colour and look, and words for those who point at it or read it aloud."""

    letter: str
    hue: int
    look: str
    words: str


@dataclass(frozen=True, slots=True)
class _Day:
    date: str
    number: int
    weekday: str
    week: int | None
    is_weekend: bool
    freezes: tuple[str, ...]
    marks: tuple[_Mark, ...]
    more: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """One schedule in the legend."""

    letter: str
    hue: int
    is_marked: bool
    title: str
    schedule: str
    when: str
    hosts: str
    owner: str | None


def year_page(
    year: int,
    openings: Sequence[Opens],
    schedules: Sequence[Named],
    freezes: Sequence[Frozen],
    *,
    organisation: str,
    as_of: date,
) -> bytes:
    """The page as one self-contained file of HTML; the same openings on the same day give the same bytes."""
    letters = {named.schedule: _letter(number) for number, named in enumerate(schedules)}
    days_of = Counter(schedule for schedule, _ in {(opening.schedule, opening.day) for opening in openings})
    marked = {schedule for schedule in letters if days_of[schedule] < OFTEN}
    marks: dict[date, list[_Mark]] = {}
    titles = {named.schedule: named.title for named in schedules}
    for opening in openings:
        if opening.schedule in marked:
            marks.setdefault(opening.day, []).append(_mark(opening, letters, titles))
    values = {
        "year": year,
        "organisation": organisation,
        "as_of": _in_words(as_of, with_year=True),
        "months": [_month(year, month, marks, freezes) for month in range(1, 13)],
        "legend": [asdict(_line(named, letters, openings, marked)) for named in schedules],
        "freezes": [
            {"name": freeze.name, "reason": freeze.reason, "only": freeze.only, "spans": _spans(freeze)}
            for freeze in freezes
        ],
        "looks": [look for look in WORDS if any(o.look == look and o.schedule in marked for o in openings)],
    }
    filled = {**printable(values), "look_words": WORDS, "style_digest": style_digest("year.css")}
    return f"{page('year.html', filled)}\n".encode("utf-8", "replace")


def _letter(number: int) -> str:
    """A to Z, then AA to ZZ, AAA and so on."""
    before, last = divmod(number, len(LETTERS))
    return (_letter(before - 1) if before else "") + LETTERS[last]


def _hue(letter: str) -> int:
    return LETTERS.index(letter[-1]) % HUES


def _mark(opening: Opens, letters: Mapping[str, str], titles: Mapping[str, str]) -> _Mark:
    letter = letters[opening.schedule]
    what = opening.became or WORDS[opening.look]
    words = f"{titles[opening.schedule]}, {opening.start} to {opening.end}{f', {what}' if what else ''}"
    return _Mark(letter, _hue(letter), opening.look.replace(" ", "-"), words)


def _month(
    year: int, month: int, marks: Mapping[date, Sequence[_Mark]], freezes: Sequence[Frozen]
) -> dict[str, object]:
    days = [date(year, month, number) for number in range(1, monthrange(year, month)[1] + 1)]
    return {
        "name": MONTHS[month - 1],
        "days": [asdict(_day(day, sorted(marks.get(day, ()), key=_place), freezes)) for day in days],
    }


def _place(mark: _Mark) -> tuple[int, str]:
    return len(mark.letter), mark.letter


def _day(day: date, marks: Sequence[_Mark], freezes: Sequence[Frozen]) -> _Day:
    shown = len(marks) if len(marks) <= MOST_MARKS else MOST_MARKS - 2
    return _Day(
        date=day.isoformat(),
        number=day.day,
        weekday=WEEKDAYS[day.weekday()][:2],
        week=day.isocalendar().week if day.weekday() == 0 else None,
        is_weekend=day.weekday() >= len(WEEKDAYS) - 2,
        freezes=tuple(freeze.name for freeze in freezes if any(first <= day <= last for first, last in freeze.spans)),
        marks=tuple(marks[:shown]),
        more=tuple(f"{mark.letter}: {mark.words}" for mark in marks[shown:]),
    )


def _line(named: Named, letters: Mapping[str, str], openings: Sequence[Opens], marked: set[str]) -> _Line:
    mine = [opening for opening in openings if opening.schedule == named.schedule]
    letter = letters[named.schedule]
    return _Line(
        letter=letter,
        hue=_hue(letter),
        is_marked=named.schedule in marked,
        title=named.title,
        schedule=named.schedule,
        when=", ".join(_when(mine, named.zone)),
        hosts=named.hosts,
        owner=named.owner,
    )


def _when(mine: Sequence[Opens], zone: str) -> Iterator[str]:
    """The usual start and length, and how often: clocks that change and freezes make exceptions."""
    if not mine:
        yield "does not open in this year"
        return
    (start, length), _ = Counter((opening.start, opening.length) for opening in mine).most_common(1)[0]
    yield f"{start} {zone}"
    yield describe(length)
    yield "once" if len(mine) == 1 else f"{len(mine)} times"


def _spans(freeze: Frozen) -> str:
    return ", ".join(
        _in_words(first) if first == last else f"{_in_words(first)} to {_in_words(last)}"
        for first, last in freeze.spans
    )


def _in_words(day: date, *, with_year: bool = False) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}{f' {day.year}' if with_year else ''}"
