"""A year on one page: what it holds, and that nothing from outside can act in it."""

from __future__ import annotations

import re
from datetime import date

from runner.reporting.document import style_digest
from runner.reporting.year import Named, year_page
from tests.reporting.a_year import a_year


def test_every_day_of_the_year_stands_on_the_page_once() -> None:
    days = re.findall(r'<time datetime="([\d-]+)">', a_year())

    assert len(days) == len(set(days)) == 365
    assert (days[0], days[-1]) == ("2027-01-01", "2027-12-31")


def test_an_opening_has_its_letter_on_its_day_and_words_for_who_points_at_it() -> None:
    first_sunday = re.search(r'2027-01-03">.*?</li>', a_year(), re.DOTALL)

    assert first_sunday is not None
    assert 'title="Security updates of the servers, 22:00 to 02:00">A<' in first_sunday[0]


def test_what_opens_nearly_every_day_is_told_below_and_not_marked() -> None:
    page = a_year()

    assert "What is installed and what is pending, 05:00" not in page
    assert "05:00 Europe/Berlin, 1h, 365 times, not marked" in page


def test_a_day_with_more_than_fits_says_how_many_more() -> None:
    full = re.search(r'2027-08-15">.*?</li>', a_year(), re.DOTALL)

    assert full is not None
    assert ">+4<" in full[0]
    assert full[0].count('class="mark ') == 3


def test_freezes_are_shaded_and_told_with_their_days() -> None:
    page = a_year()

    assert "1 Jan to 6 Jan, 20 Dec to 31 Dec" in page
    assert "3 May: changes are held for web-shop" in page
    assert page.count('title="Frozen: year-end"') == 18


def test_the_page_needs_nothing_from_outside_and_runs_nothing() -> None:
    page = a_year()

    assert "<script" not in page
    assert "http:" not in page.replace("http-equiv", "")
    assert "url(" not in page
    assert f"style-src 'sha256-{style_digest('year.css')}'" in page


def test_names_are_shown_and_never_obeyed() -> None:
    hostile = Named("x", "<img src=x onerror=alert(1)>\u202e", "UTC", "all", None)

    page = year_page(2027, [], [hostile], [], organisation="<b>", as_of=date(2026, 1, 1)).decode()

    assert "<img" not in page
    assert "<b>" not in page
    assert "\u202e" not in page
    assert "does not open in this year" in page


def test_a_thousand_schedules_have_a_letter_each() -> None:
    several = [Named(f"s{number}", f"Work {number}", "UTC", "all", None) for number in range(1000)]

    page = year_page(2027, [], several, [], organisation="Example Ltd", as_of=date(2026, 1, 1)).decode()

    letters = re.findall(r'<span class="mark hue-\d unmarked">([A-Z]+)<|<span class="mark hue-\d">([A-Z]+)<', page)
    assert len({one or other for one, other in letters}) == 1000


def test_a_year_without_anything_says_so() -> None:
    page = year_page(2028, [], [], [], organisation="Example Ltd", as_of=date(2026, 1, 1)).decode()

    assert "Nothing opens in this year." in page
    assert page.count("<time ") == 366


def test_the_same_openings_give_the_same_bytes() -> None:
    assert a_year() == a_year()
