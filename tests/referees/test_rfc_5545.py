# ruff: noqa: E501  one example, one line, as the standard prints them
"""The examples that RFC 5545 prints for recurrence rules (3.8.5.3), those that name dates; UNTIL is written as the last date that it lets through."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from runner.adapters.calendars import Calendars

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
EVERY_JANUARY = ("1998 Jan 1-31", "1999 Jan 1-31", "2000 Jan 1-31")
TO_CHRISTMAS_ON_TUESDAYS = ("1997 Sep 2,9,16,23,30", "1997 Oct 7,14,21,28", "1997 Nov 4,11,18,25", "1997 Dec 2,9,16,23")
ON_MONDAYS_WEDNESDAYS_FRIDAYS = ("1997 Sep 1,3,5,15,17,19,29", "1997 Oct 1,3,13,15,17,27,29,31", "1997 Nov 10,12,14,24,26,28", "1997 Dec 8,10,12,22")  # fmt: skip
FIVE_WEEKS = ("1997 Sep 2,4,9,11,16,18,23,25,30", "1997 Oct 2")

# name: rule, first date, and the dates as printed.
EXAMPLES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "daily for 10 occurrences": ("FREQ=DAILY;COUNT=10", "1997-09-02", ("1997 Sep 2-11",)),
    "daily until 24 December 1997": ("FREQ=DAILY;UNTIL=19971223", "1997-09-02", ("1997 Sep 2-30", "1997 Oct 1-31", "1997 Nov 1-30", "1997 Dec 1-23")),
    "every other day": ("FREQ=DAILY;INTERVAL=2", "1997-09-02", ("1997 Sep 2,4,6,8,10,12,14,16,18,20,22,24,26,28,30", "1997 Oct 2,4,6,8,10,12,14,16,18,20,22,24,26,28,30", "1997 Nov 1,3,5")),
    "every 10 days, 5 occurrences": ("FREQ=DAILY;INTERVAL=10;COUNT=5", "1997-09-02", ("1997 Sep 2,12,22", "1997 Oct 2,12")),
    "every day in January, yearly": ("FREQ=YEARLY;UNTIL=20000131;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA", "1998-01-01", EVERY_JANUARY),
    "every day in January, daily": ("FREQ=DAILY;UNTIL=20000131;BYMONTH=1", "1998-01-01", EVERY_JANUARY),
    "weekly for 10 occurrences": ("FREQ=WEEKLY;COUNT=10", "1997-09-02", ("1997 Sep 2,9,16,23,30", "1997 Oct 7,14,21,28", "1997 Nov 4")),
    "weekly until 24 December 1997": ("FREQ=WEEKLY;UNTIL=19971223", "1997-09-02", TO_CHRISTMAS_ON_TUESDAYS),
    "every other week": ("FREQ=WEEKLY;INTERVAL=2;WKST=SU", "1997-09-02", ("1997 Sep 2,16,30", "1997 Oct 14,28", "1997 Nov 11,25", "1997 Dec 9,23", "1998 Jan 6,20", "1998 Feb 3,17")),
    "Tuesday and Thursday for five weeks, until": ("FREQ=WEEKLY;UNTIL=19971006;WKST=SU;BYDAY=TU,TH", "1997-09-02", FIVE_WEEKS),
    "Tuesday and Thursday for five weeks, counted": ("FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH", "1997-09-02", FIVE_WEEKS),
    "every other week on three days": ("FREQ=WEEKLY;INTERVAL=2;UNTIL=19971223;WKST=SU;BYDAY=MO,WE,FR", "1997-09-01", ON_MONDAYS_WEDNESDAYS_FRIDAYS),
    "every other week on two days": ("FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH", "1997-09-02", ("1997 Sep 2,4,16,18,30", "1997 Oct 2,14,16")),
    "first Friday for 10 occurrences": ("FREQ=MONTHLY;COUNT=10;BYDAY=1FR", "1997-09-05", ("1997 Sep 5", "1997 Oct 3", "1997 Nov 7", "1997 Dec 5", "1998 Jan 2", "1998 Feb 6", "1998 Mar 6", "1998 Apr 3", "1998 May 1", "1998 Jun 5")),
    "first Friday until 24 December 1997": ("FREQ=MONTHLY;UNTIL=19971223;BYDAY=1FR", "1997-09-05", ("1997 Sep 5", "1997 Oct 3", "1997 Nov 7", "1997 Dec 5")),
    "first and last Sunday of every other month": ("FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU", "1997-09-07", ("1997 Sep 7,28", "1997 Nov 2,30", "1998 Jan 4,25", "1998 Mar 1,29", "1998 May 3,31")),
    "second-to-last Monday for six months": ("FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", "1997-09-22", ("1997 Sep 22", "1997 Oct 20", "1997 Nov 17", "1997 Dec 22", "1998 Jan 19", "1998 Feb 16")),
    "third-to-last day of the month": ("FREQ=MONTHLY;BYMONTHDAY=-3", "1997-09-28", ("1997 Sep 28", "1997 Oct 29", "1997 Nov 28", "1997 Dec 29", "1998 Jan 29", "1998 Feb 26")),
    "the 2nd and 15th": ("FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15", "1997-09-02", ("1997 Sep 2,15", "1997 Oct 2,15", "1997 Nov 2,15", "1997 Dec 2,15", "1998 Jan 2,15")),
    "the first and last day": ("FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1", "1997-09-30", ("1997 Sep 30", "1997 Oct 1,31", "1997 Nov 1,30", "1997 Dec 1,31", "1998 Jan 1,31", "1998 Feb 1")),
    "every 18 months on the 10th to 15th": ("FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15", "1997-09-10", ("1997 Sep 10-15", "1999 Mar 10-13")),
    "every Tuesday of every other month": ("FREQ=MONTHLY;INTERVAL=2;BYDAY=TU", "1997-09-02", ("1997 Sep 2,9,16,23,30", "1997 Nov 4,11,18,25", "1998 Jan 6,13,20,27", "1998 Mar 3,10,17,24,31")),
    "yearly in June and July": ("FREQ=YEARLY;COUNT=10;BYMONTH=6,7", "1997-06-10", tuple(f"{year} {month} 10" for year in range(1997, 2002) for month in ("Jun", "Jul"))),
    "every other year in three months": ("FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3", "1997-03-10", ("1997 Mar 10", *(f"{year} {month} 10" for year in (1999, 2001, 2003) for month in ("Jan", "Feb", "Mar")))),
    "every third year on three days": ("FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200", "1997-01-01", ("1997 Jan 1", "1997 Apr 10", "1997 Jul 19", "2000 Jan 1", "2000 Apr 9", "2000 Jul 18", "2003 Jan 1", "2003 Apr 10", "2003 Jul 19", "2006 Jan 1")),
    "every 20th Monday of the year": ("FREQ=YEARLY;BYDAY=20MO", "1997-05-19", ("1997 May 19", "1998 May 18", "1999 May 17")),
    "Monday of week 20": ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "1997-05-12", ("1997 May 12", "1998 May 11", "1999 May 17")),
    "every Thursday in March": ("FREQ=YEARLY;BYMONTH=3;BYDAY=TH", "1997-03-13", ("1997 Mar 13,20,27", "1998 Mar 5,12,19,26", "1999 Mar 4,11,18,25")),
    "every Thursday in summer": ("FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8", "1997-06-05", ("1997 Jun 5,12,19,26", "1997 Jul 3,10,17,24,31", "1997 Aug 7,14,21,28", "1998 Jun 4,11,18,25", "1998 Jul 2,9,16,23,30", "1998 Aug 6,13,20,27", "1999 Jun 3,10,17,24", "1999 Jul 1,8,15,22,29", "1999 Aug 5,12,19,26")),
    "every Friday the 13th": ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "1997-09-02", ("1998 Feb 13", "1998 Mar 13", "1998 Nov 13", "1999 Aug 13", "2000 Oct 13")),
    "the Saturday after the first Sunday": ("FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13", "1997-09-13", ("1997 Sep 13", "1997 Oct 11", "1997 Nov 8", "1997 Dec 13", "1998 Jan 10", "1998 Feb 7", "1998 Mar 7", "1998 Apr 11", "1998 May 9", "1998 Jun 13")),
    "election day": ("FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "1996-11-05", ("1996 Nov 5", "2000 Nov 7", "2004 Nov 2")),
    "the third of three weekdays": ("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09-04", ("1997 Sep 4", "1997 Oct 7", "1997 Nov 6")),
    "the second-to-last weekday": ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", "1997-09-29", ("1997 Sep 29", "1997 Oct 30", "1997 Nov 27", "1997 Dec 30", "1998 Jan 29", "1998 Feb 26", "1998 Mar 30")),
    "weeks that begin on Monday": ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997-08-05", ("1997 Aug 5,10,19,24",)),
    "weeks that begin on Sunday": ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997-08-05", ("1997 Aug 5,17,19,31",)),
    "a day that a month has not": ("FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "2007-01-15", ("2007 Jan 15,30", "2007 Feb 15", "2007 Mar 15,30")),
}  # fmt: skip


def printed(lines: tuple[str, ...]) -> list[date]:
    """Dates as the RFC prints them: `1997 Sep 2,9` or `1998 Jan 1-31`."""
    found = []
    for line in lines:
        year, month, days = line.split()
        first, dash, last = days.partition("-")
        numbers = range(int(first), int(last) + 1) if dash else map(int, days.split(","))
        found += [date(int(year), MONTHS.index(month) + 1, number) for number in numbers]
    return found


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_rule_names_the_dates_that_the_standard_prints(name: str) -> None:
    rule, since, lines = EXAMPLES[name]
    dates = printed(lines)

    found = [
        start.date() for start in Calendars().rrule(rule, since=date.fromisoformat(since))(date(1990, 1, 1), dates[-1])
    ]

    assert found == dates


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_names_the_same_when_it_is_asked_from_the_midst(name: str) -> None:
    rule, since, lines = EXAMPLES[name]
    dates = printed(lines)
    first = dates[len(dates) // 2]

    found = Calendars().rrule(rule, since=date.fromisoformat(since))(first, dates[-1] + timedelta(days=0))

    assert [start.date() for start in found] == dates[len(dates) // 2 :]


@pytest.mark.parametrize(
    "name", [name for name, (rule, _, _) in EXAMPLES.items() if "COUNT" in rule or "UNTIL" in rule]
)
def test_a_rule_that_ends_names_nothing_more(name: str) -> None:
    rule, since, lines = EXAMPLES[name]
    after = printed(lines)[-1] + timedelta(days=1)

    assert not list(Calendars().rrule(rule, since=date.fromisoformat(since))(after, after + timedelta(days=4000)))
