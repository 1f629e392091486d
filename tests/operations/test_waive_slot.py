"""Slots that a person waives before they open, and takes back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from runner.domain.execution.run import SlotState
from runner.domain.record.record import INSTALLATION
from runner.errors import NotFound, UsageError
from runner.operations.time.keep_ledger import keep_ledger
from runner.operations.time.waive_slot import Asked, take_waiver_back, waive_slot
from runner.store.record import log
from runner.store.time import slots
from tests.operations.a_site import SCHEDULE, WINDOWS, Bench
from tests.operations.conftest import Lay

OPENS = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)
THAT_NIGHT = Asked("patch", date(2026, 3, 28))
DAY = timedelta(days=1)


def slot_of(bench: Bench) -> slots.Slot:
    (found,) = bench.site.store.read(lambda c: slots.between(c, OPENS - DAY, OPENS + DAY, ["patch"]))
    return found


def keep(bench: Bench) -> int:
    return keep_ledger(bench.site.current(), site=bench.site, kept=bench.kept)


def waive(bench: Bench, asked: Asked = THAT_NIGHT) -> slots.Slot:
    return waive_slot(asked, reason="the fair is on", site=bench.site)


def told(bench: Bench) -> list[dict[str, object]]:
    return [entry.content for entry in bench.site.store.read(lambda c: list(log.entries(c, INSTALLATION)))]


def test_a_waived_slot_is_settled_with_the_person_and_the_reason(bench: Bench) -> None:
    keep(bench)

    waive(bench)

    slot = slot_of(bench)
    assert (slot.state, slot.outcome, slot.reason) == (SlotState.SETTLED, "waived", "waived by ana: the fair is on")
    last = told(bench)[-1]
    assert (last["action"], last["by"], last["reason"], last["slot"]) == (
        "slot.waived",
        "ana",
        "the fair is on",
        slot.id,
    )


def test_a_slot_can_be_waived_before_any_daemon_has_written_it(bench: Bench) -> None:
    waive(bench)

    assert slot_of(bench).outcome == "waived"


def test_nothing_runs_in_a_waived_slot(bench: Bench) -> None:
    waive(bench)

    bench.time.now = OPENS
    bench.tick()

    assert slot_of(bench).run_id is None
    assert bench.ansible.orders == []


def test_the_ledger_does_not_write_a_waived_slot_anew(bench: Bench) -> None:
    waive(bench)
    (bench.site.root / "schedules" / "windows.yml").write_text(WINDOWS.replace("22:00", "23:00"))

    keep(bench)

    assert (slot_of(bench).outcome, slot_of(bench).opens_at) == ("waived", OPENS)


def test_a_waiver_is_taken_back_and_the_slot_is_as_the_files_have_it_now(bench: Bench) -> None:
    waive(bench)
    (bench.site.root / "schedules" / "windows.yml").write_text(WINDOWS.replace("22:00", "23:00"))

    take_waiver_back(THAT_NIGHT, site=bench.site)

    slot = slot_of(bench)
    assert (slot.state, slot.outcome, slot.reason) == (SlotState.PLANNED, None, "")
    assert slot.opens_at == OPENS + timedelta(hours=1)
    assert "slot.waiver_taken_back" in [each["action"] for each in told(bench)]


def test_a_slot_whose_waiver_was_taken_back_runs(bench: Bench) -> None:
    waive(bench)
    take_waiver_back(THAT_NIGHT, site=bench.site)

    bench.time.now = OPENS
    bench.tick()

    assert slot_of(bench).run_id


def test_a_slot_that_has_opened_is_not_waived_nor_is_its_waiver_taken_back(bench: Bench) -> None:
    keep(bench)
    bench.time.now = OPENS
    with pytest.raises(UsageError, match="has opened already"):
        waive(bench)

    with pytest.raises(UsageError, match="has opened already"):
        take_waiver_back(THAT_NIGHT, site=bench.site)


def test_a_waiver_that_there_is_or_is_not_says_so(bench: Bench) -> None:
    with pytest.raises(UsageError, match="is not waived"):
        take_waiver_back(THAT_NIGHT, site=bench.site)
    waive(bench)

    with pytest.raises(UsageError, match=r"is waived by ana: the fair is on already\. To take that back: --undo"):
        waive(bench)


def test_a_day_without_a_slot_names_the_next_ones(bench: Bench) -> None:
    with pytest.raises(NotFound, match=r"has no slot on 2026-03-29\. The next ones: Sat 2026-03-28 22:00 UTC"):
        waive(bench, Asked("patch", date(2026, 3, 29)))


def test_an_opening_can_be_named_by_its_instant(bench: Bench) -> None:
    with pytest.raises(NotFound):
        waive(bench, Asked("patch", date(2026, 3, 28), OPENS + timedelta(hours=1)))

    assert waive(bench, Asked("patch", date(2026, 3, 28), OPENS)).opens_at == OPENS


def test_the_day_is_that_of_the_windows_own_zone(lay: Lay) -> None:
    bench = lay(windows=WINDOWS.replace("day: saturday", "timezone: Pacific/Auckland, day: sunday"))

    slot = waive(bench, Asked("patch", date(2026, 3, 29)))

    assert slot.opens_at == datetime(2026, 3, 29, 9, 0, tzinfo=UTC)


def test_a_waiver_needs_a_reason_and_a_schedule(lay: Lay) -> None:
    bench = lay(schedule=SCHEDULE)
    with pytest.raises(UsageError, match="Say why"):
        waive_slot(THAT_NIGHT, reason=" ", site=bench.site)

    with pytest.raises(NotFound, match="Did you mean 'patch'"):
        waive(bench, Asked("pathc", date(2026, 3, 28)))
