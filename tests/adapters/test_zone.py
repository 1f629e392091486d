"""A daemon lives in UTC, and Ansible in the operator's zone."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from runner.adapters.zone import OPERATORS_ZONE, give_back_zone, live_in_utc


@pytest.fixture(autouse=True)
def own_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield
    time.tzset()


@pytest.mark.parametrize("before", [{}, {"TZ": "Europe/Berlin"}])
def test_what_was_taken_from_the_operator_is_given_back(before: dict[str, str]) -> None:
    environ = dict(before)

    live_in_utc(environ)
    in_utc = dict(environ)
    give_back_zone(environ)

    assert in_utc["TZ"] == "UTC"
    assert environ == before


def test_a_daemon_started_by_a_daemon_still_knows_the_operators_zone() -> None:
    environ = {"TZ": "UTC", OPERATORS_ZONE: "Europe/Berlin"}

    live_in_utc(environ)
    give_back_zone(environ)

    assert environ == {"TZ": "Europe/Berlin"}


def test_nothing_changes_where_nothing_was_taken() -> None:
    environ = {"TZ": "Asia/Tokyo"}

    give_back_zone(environ)

    assert environ == {"TZ": "Asia/Tokyo"}
