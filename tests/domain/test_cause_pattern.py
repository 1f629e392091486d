"""Patterns of users: they mean what Python's regular expressions mean, and none of them can hang us."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.tickets.cause_pattern import LONGEST, REACH, bounded

ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\w", r"\.", "1", r"\d", r"[]x]", r"[^]a]", "{", "}", "{a}"])
TIMES = st.sampled_from(["", "", "?", "*", "+", "{2}", "{1,3}", "{,2}", "{2,}", "*?", "+?", "{,}"])
PARTS = st.tuples(ATOMS, TIMES).map("".join)
BRANCHES = st.lists(PARTS, min_size=1, max_size=3).map("".join)
GROUPS = st.tuples(
    st.sampled_from(["(", "(?:"]),
    st.lists(BRANCHES, min_size=1, max_size=2).map("|".join),
    st.sampled_from([")", ")?"]),
).map("".join)
PATTERNS = st.lists(st.one_of(BRANCHES, GROUPS), min_size=1, max_size=3).map("".join)


@given(PATTERNS, st.text(alphabet="ab1. x]{}", max_size=REACH // 2))
def test_a_pattern_that_is_taken_means_what_python_means(pattern: str, message: str) -> None:
    try:
        written = bounded(pattern)
    except ValueError as reason:
        assert "too many ways" in str(reason), "nothing else is wrong with it"  # noqa: PT017
        return

    assert bool(re.search(written, message)) is bool(re.search(pattern, message))


@given(PATTERNS)
def test_every_repetition_of_a_pattern_that_is_taken_has_an_end(pattern: str) -> None:
    try:
        written = bounded(pattern)
    except ValueError:
        return

    rest = re.sub(r"\\.|\[\^?\]?(\\.|[^\]\\])*\]", "", written)
    assert not re.search(r"\*|(?<!\})\+|\{\d*,\}", rest)


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        (r"proxy\.example\.com.*502", r"proxy\.example\.com.{0,100}502"),
        (r"[*+]+\*", r"[*+]{1,100}\*"),
        ("a{3,}?b{2}", "a{3,100}?b{2,2}"),
        ("a{200,}", "a{200,200}"),
        ("(?:a|b)?c++", "(?:a|b){0,1}c{1,100}+"),
        ("{x} {,}", "{x} {0,100}"),
    ],
)
def test_an_open_end_is_closed_and_the_rest_is_left_as_it_is(pattern: str, written: str) -> None:
    assert bounded(pattern) == written


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(a|a?)*b", "((a*)*)*", "(.*a){25}", "(?:[ab]+){2,}"])
def test_a_repeated_group_is_refused_because_it_may_take_for_ever(pattern: str) -> None:
    with pytest.raises(ValueError, match="may take for ever"):
        bounded(pattern)


@pytest.mark.parametrize(
    "pattern",
    [".*a.*b.*c", r"\s*\s*\s*\s*x", "(a|a)(a|a)(a|a)(a|a)" * 5, "a?" * 40 + "b", "(a?)?" * 30, ".{0,999}.{0,999}"],
)
def test_too_many_ways_to_match_are_refused_with_what_to_do(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"too many ways.*\.\{0,20\}"):
        bounded(pattern)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(?=a)", "plain groups"),
        ("(?i)a", "plain groups"),
        ("(?P<x>a)", "plain groups"),
        ("a(", "no regular expression"),
        ("*", "no regular expression"),
        ("a" * (LONGEST + 1), "longer than 300"),
    ],
)
def test_what_cannot_be_counted_or_read_is_refused(pattern: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        bounded(pattern)


def test_branches_add_up_and_do_not_multiply() -> None:
    assert bounded("|".join(["a.*b"] * 40))
    with pytest.raises(ValueError, match="too many ways"):
        bounded("|".join(["a.*b.*c"] * 6))
