"""The definitions in force follow the files, but never into a broken edit."""

from __future__ import annotations

import logging
import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from runner.adapters.calendars import Calendars
from runner.config import read
from runner.errors import FilesInvalid
from runner.operations.site import REMEMBERED, Snapshotted
from runner.operations.time.reload import InForce
from runner.operations.time.tick import keep_snapshot
from tests.operations.a_site import SCHEDULE, Bench, StaticInventory


@pytest.fixture
def in_force(bench: Bench) -> InForce:
    return InForce(
        bench.site.root, environ=os.environ, first=read(bench.site.root, environ=os.environ), monotonic=lambda: 0.0
    )


def edit(bench: Bench, text: str, name: str = "patch.yml") -> None:
    (bench.site.root / "schedules" / name).write_text(text)


def test_nothing_is_read_again_while_no_file_changes(in_force: InForce) -> None:
    assert in_force.current() is in_force.current()


def test_an_edit_is_in_force_at_the_next_look(bench: Bench, in_force: InForce) -> None:
    edit(bench, SCHEDULE + "tags: [security]\n")

    assert in_force.current().schedules["patch"].tags == ("security",)


def test_a_broken_edit_keeps_the_last_good_definitions_and_says_so_loudly(
    bench: Bench, in_force: InForce, caplog: pytest.LogCaptureFixture
) -> None:
    good = in_force.current()

    with caplog.at_level(logging.ERROR):
        edit(bench, SCHEDULE + "tagz: [security]\n")
        kept = in_force.current()

    assert kept is good
    assert isinstance(in_force.problem, FilesInvalid)
    assert "the last good definitions stay in force" in caplog.text
    assert "tagz" in caplog.text


def test_an_edit_of_the_file_of_a_calendar_that_only_a_freeze_names_is_in_force_at_the_next_look(bench: Bench) -> None:
    root, event = bench.site.root, "BEGIN:VEVENT\r\nUID:a\r\nDTSTART;VALUE=DATE:{}\r\nEND:VEVENT\r\n"
    file = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{}END:VCALENDAR\r\n"
    (root / "closed.ics").write_text(file.format(event.format(20260427)))
    edit(bench, "calendars: {office: {file: closed.ics}}\nfreezes: [{name: closed, holidays: office}]\n", "closed.yml")
    first = read(root, environ=os.environ, sources=Calendars())
    in_force = InForce(root, environ=os.environ, first=first, sources=Calendars(), monotonic=lambda: 0.0)

    (root / "closed.ics").write_text(file.format(event.format(20260427) + event.format(20260501)))

    (freeze,) = in_force.current().freezes
    assert freeze.covers(datetime(2026, 5, 1, 12, tzinfo=UTC))


def test_it_is_said_once_and_not_at_every_look(
    bench: Bench, in_force: InForce, caplog: pytest.LogCaptureFixture
) -> None:
    edit(bench, "schedule: [")
    in_force.current()
    caplog.clear()

    in_force.current()

    assert caplog.text == ""


def test_a_mended_file_is_in_force_again(bench: Bench, in_force: InForce) -> None:
    edit(bench, "schedule: [")
    in_force.current()

    edit(bench, SCHEDULE + "tags: [mended]\n")

    assert in_force.current().schedules["patch"].tags == ("mended",)
    assert in_force.problem is None


def test_a_new_file_is_in_force(bench: Bench, in_force: InForce) -> None:
    edit(bench, SCHEDULE.replace("schedule: patch", "schedule: second"), "second.yml")

    assert set(in_force.current().schedules) == {"patch", "second"}


def test_an_edit_of_a_calendar_file_is_in_force_too(bench: Bench) -> None:
    root, sources = bench.site.root, Calendars()
    event = "BEGIN:VEVENT\r\nUID:a\r\nDTSTART:20260401T220000Z\r\nDURATION:PT{}H\r\nEND:VEVENT\r\n"
    file = "BEGIN:VCALENDAR\r\n{}END:VCALENDAR\r\n"
    (root / "nights.ics").write_text(file.format(event.format(2)))
    edit(bench, "windows: {nights: {ics: nights.ics}}\n", "more.yml")
    in_force = InForce(
        root,
        environ=os.environ,
        first=read(root, environ=os.environ, sources=sources),
        sources=sources,
        monotonic=lambda: 0.0,
    )
    before = in_force.current().windows["nights"]

    (root / "nights.ics").write_text(file.format(event.format(12)))

    after = in_force.current().windows["nights"]
    assert after != before
    assert after.length == timedelta(hours=12)


def test_a_file_that_was_removed_is_no_longer_in_force(bench: Bench, in_force: InForce) -> None:
    (bench.site.root / "schedules" / "patch.yml").unlink()

    assert in_force.current().schedules == {}


def test_a_link_that_leads_nowhere_is_no_trouble(bench: Bench, in_force: InForce) -> None:
    (bench.site.root / "playbooks" / "gone.yml").symlink_to("nowhere.yml")

    assert "patch" in in_force.current().schedules


def test_without_a_good_snapshot_a_broken_one_is_refused(bench: Bench) -> None:
    snapshotted = Snapshotted(bench.site.state_dir / "snapshots", os.environ, StaticInventory())
    edit(bench, "schedule: [")
    broken = bench.site.snapshots.take(bench.site.root)

    with pytest.raises(FilesInvalid):
        snapshotted.readable(broken)


def test_with_one_the_last_good_is_taken_instead(bench: Bench) -> None:
    snapshotted = Snapshotted(bench.site.state_dir / "snapshots", os.environ, StaticInventory())
    good = bench.site.snapshots.take(bench.site.root)
    snapshotted.keep_good(bench.site.current(), lambda: good)
    edit(bench, "schedule: [")

    assert snapshotted.readable(bench.site.snapshots.take(bench.site.root)) == good


def test_a_window_by_a_file_that_git_ignores_can_be_read_from_the_snapshot_of_a_run(bench: Bench) -> None:
    root, inventory = bench.site.root, StaticInventory()
    event = "UID:a\r\nDTSTART:20260328T220000Z\r\nDURATION:PT4H\r\n"
    file = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\n{event}END:VEVENT\r\nEND:VCALENDAR\r\n"
    (root / "fetched").mkdir()
    (root / "fetched/nights.ics").write_text(file)
    (root / ".gitignore").write_text("fetched/\nvar/\n")
    edit(bench, "windows: {saturday-night: {ics: fetched/nights.ics}}\n", "windows.yml")
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=root, check=True)
    definitions = read(root, environ=os.environ, sources=Calendars())
    snapshotted = Snapshotted(bench.site.state_dir / "snapshots", os.environ, inventory, Calendars())

    keep_snapshot(definitions, site=replace(bench.site, snapshotted=snapshotted))

    assert snapshotted.good is not None
    assert snapshotted.of(snapshotted.good[1].digest).windows == definitions.windows


def test_files_that_take_long_to_look_at_are_looked_at_less_often(bench: Bench) -> None:
    now = [100.0]

    def slow() -> float:
        now[0] += 0.05
        return now[0]

    first = read(bench.site.root, environ=os.environ)
    in_force = InForce(bench.site.root, environ=os.environ, first=first, monotonic=slow)
    in_force.current()
    edit(bench, SCHEDULE + "tags: [security]\n")

    soon = in_force.current()
    now[0] += 2
    later = in_force.current()

    assert soon is first
    assert later.schedules["patch"].tags == ("security",)


def test_only_the_snapshots_that_were_read_last_are_remembered_and_an_older_one_is_read_again(bench: Bench) -> None:
    snapshotted = Snapshotted(bench.site.state_dir / "snapshots", os.environ, StaticInventory())
    digests = []
    for number in range(REMEMBERED + 1):
        edit(bench, SCHEDULE + f"tags: [t{number}]\n")
        digests.append(bench.site.snapshots.take(bench.site.root).digest)
        snapshotted.of(digests[-1])

    assert list(snapshotted.definitions) == digests[1:]
    assert snapshotted.of(digests[0]).schedules["patch"].tags == ("t0",)
