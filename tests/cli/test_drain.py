"""`drain`: what it prints, and how it leaves."""

from __future__ import annotations

from tests.cli import rows
from tests.cli.conftest import Repository


def test_a_drain_says_that_nothing_is_in_flight_and_how_to_go_on(wellkept: Repository) -> None:
    said = wellkept("drain", "--reason", "reboot")

    assert said.code == 0
    assert "Nothing new begins from now on. Recorded as " in said.out
    assert said.out.endswith("Nothing is in flight. To go on: wellkept drain --end\n")


def test_what_is_still_in_flight_is_named_and_a_wait_that_is_over_is_a_bad_result(wellkept: Repository) -> None:
    rows.a_live_run(wellkept.store)

    said = wellkept("drain", "--reason", "reboot", "--wait", "0s")

    assert said.code == 1
    assert "waiting for run " in said.out
    assert "Something is still in flight" in said.err


def test_status_says_it_in_its_first_line(wellkept: Repository) -> None:
    wellkept("drain", "--reason", "reboot")

    first, second, *_ = wellkept("status").out.splitlines()

    assert first.startswith("DRAINED    nothing begins, by ")
    assert first.endswith(": reboot")
    assert second.strip() == "To go on: wellkept drain --end"


def test_its_end_lets_work_begin_again(wellkept: Repository) -> None:
    wellkept("drain", "--reason", "reboot")

    ended, again = wellkept("drain", "--end"), wellkept("drain", "--end")

    assert "is ended; work goes on" in ended.out
    assert again.out == "Nothing is drained.\n"
    assert "DRAINED" not in wellkept("status").out


def test_a_span_that_is_none_and_a_drain_without_a_reason_are_refused(wellkept: Repository) -> None:
    for arguments in (["--reason", "reboot", "--wait", "soon"], []):
        said = wellkept("drain", *arguments)

        assert said.code == 2
        assert "DRAINED" not in wellkept("status").out
